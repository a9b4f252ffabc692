import CircleCheck from '@lucide/svelte/icons/circle-check'
import CircleX from '@lucide/svelte/icons/circle-x'
import FileX from '@lucide/svelte/icons/file-x'
import PencilLine from '@lucide/svelte/icons/pencil-line'
import type { Settings } from '#lib/api-types.ts'
import type { Word } from '#lib/words.ts'

export const fileStates: Record<Settings['files'][number]['state'], Word> = {
  in_use: { word: 'In force as it stands', icon: CircleCheck, tone: 'good' },
  changed: { word: 'Changed, not in force', icon: PencilLine, tone: 'warn' },
  mistaken: { word: 'Has a mistake', icon: CircleX, tone: 'bad' },
  missing: { word: 'Not there', icon: FileX, tone: 'warn' },
}

export const secretWords: Record<Settings['connections'][number]['secrets'][number]['from'], string> = {
  environment: 'set by environment',
  file: 'set by a file',
  nowhere: 'not configured',
}
