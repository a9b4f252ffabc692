export type { Ambiguity, Decision, IdentityFact, Link, LinkRule, Resolution, ResolvedCluster } from './identity/resolution.ts'
export { resolveIdentity } from './identity/resolve.ts'
