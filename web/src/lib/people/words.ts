/** `Ada Marsh` → `AM` */
export function initialsOf(name: string): string {
  return name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => word.charAt(0).toUpperCase())
    .join('')
}

export const rolesOf = (roles: readonly { readonly title: string }[]): string => roles.map(({ title }) => title).join(', ')
