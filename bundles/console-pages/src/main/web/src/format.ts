const language = document.documentElement.lang || 'en'
const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 })
const one = new Intl.NumberFormat(language, { maximumFractionDigits: 1 })
const short = new Intl.NumberFormat(language, { notation: 'compact', maximumFractionDigits: 1 })

export const UNKNOWN = '–'

export function count(value?: number | null): string {
    return value === undefined || value === null ? UNKNOWN : whole.format(value)
}

export function compact(value?: number | null): string {
    return value === undefined || value === null ? UNKNOWN : value < 10 ? one.format(value) : value < 10_000 ? whole.format(value) : short.format(value)
}

const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

export function bytes(value?: number | null): string {
    if (value === undefined || value === null) return UNKNOWN
    let size = value
    let unit = 0
    while (Math.abs(size) >= 1024 && unit < SIZES.length - 1) {
        size /= 1024
        unit++
    }
    return `${unit === 0 || size >= 100 ? whole.format(size) : one.format(size)} ${SIZES[unit]}`
}

export const rate = (value?: number | null) => (value === undefined || value === null ? UNKNOWN : `${bytes(value)}/s`)

const TIMES: [string, number][] = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1000],
    ['ms', 1],
]

/** The largest two units that say it: `1 d 4 h`, `350 ms`. */
export function duration(ms?: number | null): string {
    if (ms === undefined || ms === null) return UNKNOWN
    if (ms === 0) return '0 s'
    if (Math.abs(ms) < 1000) return `${ms < 10 ? one.format(ms) : whole.format(ms)} ms`
    const parts: string[] = []
    let left = Math.round(Math.abs(ms) / 1000) * 1000
    for (const [unit, size] of TIMES) {
        const times = Math.floor(left / size)
        if (times > 0) {
            parts.push(`${whole.format(times)} ${unit}`)
            left -= times * size
            if (parts.length === 2) break
        } else if (parts.length === 1) break
    }
    return (ms < 0 ? '−' : '') + parts.join(' ')
}

export const seconds = (value?: number | null) => (value === undefined || value === null ? UNKNOWN : duration(value * 1000))

/** The exact value of a setting in words: `604800000` with unit `ms` is `7 d`. */
export function worded(value: string | undefined, unit?: string): string | undefined {
    if (!value || !/^-?\d+$/.test(value)) return undefined
    const number = Number(value)
    if (number < 0 || number > 9e18) return undefined
    if (unit === 'ms') return duration(number)
    if (unit === 's') return duration(number * 1000)
    if (unit === 'bytes' || unit === 'B') return bytes(number)
    return undefined
}

const pad = (value: number, digits = 2) => String(value).padStart(digits, '0')

/** Always 24 hours; in the zone of the browser, or UTC. */
export function time(at: string | number | undefined, utc: boolean, withMs = false): string {
    if (at === undefined) return UNKNOWN
    const date = new Date(at)
    if (isNaN(date.getTime())) return String(at)
    const shift = utc ? date : new Date(date.getTime() - date.getTimezoneOffset() * 60_000)
    const day = `${shift.getUTCFullYear()}-${pad(shift.getUTCMonth() + 1)}-${pad(shift.getUTCDate())}`
    const clock = `${pad(shift.getUTCHours())}:${pad(shift.getUTCMinutes())}:${pad(shift.getUTCSeconds())}`
    return `${day} ${clock}${withMs ? '.' + pad(shift.getUTCMilliseconds(), 3) : ''}`
}

export const iso = (at: string | number | undefined) => {
    if (at === undefined) return undefined
    const date = new Date(at)
    return isNaN(date.getTime()) ? undefined : date.toISOString()
}

/** `7d`, `1 GiB`, `500ms`, `604800000`: what people type into a setting with a unit, as the exact number. */
export function typed(text: string, unit?: string): string {
    const match = /^\s*(-?[\d_]+(?:\.\d+)?)\s*([a-zA-Z]*)\s*$/.exec(text)
    if (!match || !unit) return text.trim()
    const number = Number(match[1].replaceAll('_', ''))
    const word = match[2].toLowerCase()
    if (!word) return match[1].replaceAll('_', '')
    const scale =
        unit === 'ms' || unit === 's'
            ? { ms: 1, s: 1000, sec: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }[word]
            : { b: 1, k: 1024, kb: 1024, kib: 1024, m: 1024 ** 2, mb: 1024 ** 2, mib: 1024 ** 2, g: 1024 ** 3, gb: 1024 ** 3, gib: 1024 ** 3, t: 1024 ** 4, tb: 1024 ** 4, tib: 1024 ** 4 }[word]
    if (!scale) return text.trim()
    return String(Math.round((number * scale) / (unit === 's' ? 1000 : 1)))
}
