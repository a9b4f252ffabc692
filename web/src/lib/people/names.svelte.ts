import { api } from '../api.ts'
import type { PersonNames } from '../api-types.ts'
import { Resource } from '../resource.svelte.ts'

/** What the ids of people and tokens are called: read once, and again when one is met that is not among them. */
class Names {
  #resource = new Resource<PersonNames>((signal) => api.personNames(signal))
  #titles = $derived(new Map(this.#resource.data?.items.map(({ id, title }) => [id, title])))

  refresh(): Promise<void> {
    return this.#resource.refresh()
  }

  titleOf(id: string): string {
    return this.#titles.get(id) ?? id
  }
}

export const names = new Names()
