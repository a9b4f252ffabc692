/** Copies the instant of the time nearest to where the keyboard stands: in it, in its row, or in its section. */
export async function copyTimeHere(): Promise<string | undefined> {
  const around = document.activeElement?.closest('time, tr, li, dd, section, article, main') ?? document.getElementById('main')
  return copy(around?.matches('time') ? around : around?.querySelector('time'))
}

/** The same for the time under a point of the screen, even where a row's link lies over it; undefined where there is none. */
export function copyTimeAt(x: number, y: number): Promise<string | undefined> | undefined {
  const time = document.elementsFromPoint(x, y).find((element) => element.localName === 'time')
  return time && copy(time)
}

async function copy(time: Element | null | undefined): Promise<string | undefined> {
  const instant = time?.getAttribute('datetime')
  if (!instant) return undefined
  return navigator.clipboard.writeText(instant).then(
    () => instant,
    () => undefined,
  )
}
