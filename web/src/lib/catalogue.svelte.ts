import { api } from './api.ts'
import type { Catalogue } from './api-types.ts'
import { Resource } from './resource.svelte.ts'

/** Titles of kinds, tools, owners and expectations. Read once; a word that is not in it is shown as it is. */
class CatalogueStore extends Resource<Catalogue> {
  constructor() {
    super(() => api.catalogue())
  }
  kindTitle(kind: string): string {
    return this.data?.kinds.find((each) => each.kind === kind)?.title ?? spoken(kind)
  }
  kindIcon(kind: string): string {
    return this.data?.kinds.find((each) => each.kind === kind)?.icon ?? ''
  }
  toolTitle(connection: string): string {
    return this.data?.connections.find((each) => each.id === connection)?.title ?? connection
  }
  ownerTitle(owner: string): string {
    return this.data?.owners.find((each) => each.key === owner)?.title ?? owner
  }
  siteTitle(site: string): string {
    return site === 'none' ? 'No site' : (this.data?.sites.find((each) => each.key === site)?.title ?? site)
  }
  expectationTitle(key: string): string {
    return this.data?.expectations.find((each) => each.key === key)?.title ?? spoken(key)
  }
}

/** `booking_confirmed` → `Booking confirmed` */
export function spoken(word: string): string {
  const text = word.replaceAll(/[._-]+/g, ' ').trim()
  return text.charAt(0).toUpperCase() + text.slice(1)
}

export const catalogue = new CatalogueStore()
