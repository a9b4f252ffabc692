/** Which rows of a long list are drawn: those in view and a few around them. Heights are measured; what was not seen yet is guessed. */
export class RowWindow {
  #heights = new Map<string, number>()
  #guess = 64
  #version = $state(0)
  #top = $state(0)
  #bottom = $state(0)
  #ids: () => readonly string[]
  #body: HTMLElement | undefined
  #observer = new ResizeObserver((entries) => this.#measure(entries))
  #isDue = false

  constructor(ids: () => readonly string[]) {
    this.#ids = ids
  }

  readonly around = 6
  /** Lists no longer than this are drawn whole. */
  readonly wholeUpTo = 24

  readonly range = $derived.by(() => {
    void this.#version
    const ids = this.#ids()
    if (ids.length <= this.wholeUpTo) return { from: 0, to: ids.length, above: 0, below: 0 }
    let from = 0
    let above = 0
    while (from < ids.length - 1 && above + this.#heightOf(ids[from]) < this.#top) {
      above += this.#heightOf(ids[from])
      from += 1
    }
    let to = from
    let reached = above
    while (to < ids.length && reached < this.#bottom) {
      reached += this.#heightOf(ids[to])
      to += 1
    }
    for (let extra = 0; extra < this.around && from > 0; extra += 1) {
      from -= 1
      above -= this.#heightOf(ids[from])
    }
    to = Math.min(ids.length, Math.max(to, from + 1) + this.around)
    let below = 0
    for (const id of ids.slice(to)) below += this.#heightOf(id)
    return { from, to, above: Math.max(0, above), below }
  })

  #heightOf(id: string | undefined): number {
    return this.#heights.get(id ?? '') ?? this.#guess
  }

  /** Distance of a row from the top of the list, px. */
  offsetOf(index: number): { top: number; height: number } {
    const ids = this.#ids()
    let top = 0
    for (const id of ids.slice(0, index)) top += this.#heightOf(id)
    return { top, height: this.#heightOf(ids[index]) }
  }

  /** The page position of the list's first row. */
  get pageTop(): number {
    return (this.#body?.getBoundingClientRect().top ?? 0) + scrollY
  }

  look = (): void => {
    if (this.#isDue) return
    this.#isDue = true
    requestAnimationFrame(() => {
      this.#isDue = false
      this.lookNow()
    })
  }

  lookNow(): void {
    const top = this.#body?.getBoundingClientRect().top ?? 0
    this.#top = Math.max(0, -top)
    this.#bottom = innerHeight - top
  }

  #measure(entries: readonly ResizeObserverEntry[]): void {
    let isNew = false
    for (const { target } of entries) {
      const { dataset, offsetHeight } = target as HTMLElement
      if (offsetHeight === 0 || this.#heights.get(dataset.id ?? '') === offsetHeight) continue
      this.#heights.set(dataset.id ?? '', offsetHeight)
      isNew = true
    }
    if (!isNew) return
    const seen = [...this.#heights.values()]
    this.#guess = seen.reduce((sum, height) => sum + height, 0) / seen.length
    this.#version += 1
    this.look()
  }

  /** On the element that holds the rows. */
  holds = (body: HTMLElement): (() => void) => {
    this.#body = body
    this.lookNow()
    addEventListener('scroll', this.look, { passive: true })
    addEventListener('resize', this.look)
    return () => {
      this.#observer.disconnect()
      removeEventListener('scroll', this.look)
      removeEventListener('resize', this.look)
    }
  }

  /** On each row drawn; it carries its id in `data-id`. */
  measures = (row: HTMLElement): (() => void) => {
    this.#observer.observe(row)
    return () => this.#observer.unobserve(row)
  }
}
