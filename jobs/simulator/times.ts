export const second = 1000
export const minute = 60 * second
export const hour = 60 * minute
export const day = 24 * hour

export const iso = (at: number) => new Date(at).toISOString()
export const unix = (at: number) => Math.floor(at / 1000)
/** RFC 2822 as Twilio writes it: `Fri, 24 May 2019 17:44:46 +0000`. */
export const rfc2822 = (at: number) => new Date(at).toUTCString().replace('GMT', '+0000')
