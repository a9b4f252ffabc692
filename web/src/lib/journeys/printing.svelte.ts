import { flushSync } from 'svelte'

/** True while the page is laid out for paper, where dark is never meant. Call while a component initialises. */
export function usePrinting(): { readonly isPrinting: boolean } {
  let isPrinting = $state(false)
  $effect(() => {
    const paper = matchMedia('print')
    let theme: string | undefined
    const apply = (isNow: boolean) => {
      if (isNow === isPrinting) return
      const { dataset } = document.documentElement
      if (isNow) {
        theme = dataset.theme
        dataset.theme = 'light'
      } else if (theme) dataset.theme = theme
      // What is printed must stand before the browser lays out the paper.
      flushSync(() => {
        isPrinting = isNow
      })
    }
    const change = (event: MediaQueryListEvent) => apply(event.matches)
    const before = () => apply(true)
    const after = () => apply(false)
    paper.addEventListener('change', change)
    addEventListener('beforeprint', before)
    addEventListener('afterprint', after)
    return () => {
      paper.removeEventListener('change', change)
      removeEventListener('beforeprint', before)
      removeEventListener('afterprint', after)
      after()
    }
  })
  return {
    get isPrinting() {
      return isPrinting
    },
  }
}
