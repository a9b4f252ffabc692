const numbers = new Intl.NumberFormat('en-GB')

export const count = (value: number): string => numbers.format(value)

/** `1 finding`, `1,204 findings` */
export const counted = (value: number, one: string, many = `${one}s`): string => `${count(value)} ${value === 1 ? one : many}`

/** First eight characters of an id: enough to say aloud. */
export const shortId = (id: string): string => id.replaceAll('-', '').slice(0, 8)
