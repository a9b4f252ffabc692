import CircleAlert from '@lucide/svelte/icons/circle-alert'
import Clock from '@lucide/svelte/icons/clock'
import Copy from '@lucide/svelte/icons/copy'
import EyeOff from '@lucide/svelte/icons/eye-off'
import FastForward from '@lucide/svelte/icons/fast-forward'
import GitCompare from '@lucide/svelte/icons/git-compare'
import Hourglass from '@lucide/svelte/icons/hourglass'
import Replace from '@lucide/svelte/icons/replace'
import Shapes from '@lucide/svelte/icons/shapes'
import Shuffle from '@lucide/svelte/icons/shuffle'
import CircleDashed from '@lucide/svelte/icons/circle-dashed'
import Unlink from '@lucide/svelte/icons/unlink'
import UserRoundSearch from '@lucide/svelte/icons/user-round-search'
import Zap from '@lucide/svelte/icons/zap'

const byKind: Record<string, typeof CircleAlert> = {
  gap: CircleDashed,
  late: Clock,
  early: FastForward,
  disorder: Shuffle,
  unexpected: Zap,
  wrong_variant: Replace,
  duplicate: Copy,
  overlap: Copy,
  drift: GitCompare,
  unmapped_state: GitCompare,
  stuck: Hourglass,
  orphan: Unlink,
  ambiguous_identity: UserRoundSearch,
  schema_drift: Shapes,
  blind: EyeOff,
}

export const kindIcon = (kind: string): typeof CircleAlert => byKind[kind] ?? CircleAlert
