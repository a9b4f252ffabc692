import { redirect } from '@sveltejs/kit'
import { paths } from '#lib/paths.ts'

export const load = () => redirect(307, paths.findings())
