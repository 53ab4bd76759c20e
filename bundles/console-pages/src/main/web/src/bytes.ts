import type { Bytes } from './contract'

export type Format = 'auto' | 'json' | 'text' | 'hex' | 'base64' | 'integer'
export const FORMATS: Format[] = ['auto', 'json', 'text', 'hex', 'base64', 'integer']

export function rawOf(bytes: Bytes): Uint8Array {
    if (bytes.text !== undefined) return new TextEncoder().encode(bytes.text)
    if (bytes.base64 !== undefined) return Uint8Array.from(atob(bytes.base64), (char) => char.charCodeAt(0))
    return new Uint8Array()
}

/** The bytes as people read them; undefined if they do not have this format. */
export function shown(bytes: Bytes, format: Format): string | undefined {
    switch (format) {
        case 'auto':
            return bytes.kind === 'json' ? (shown(bytes, 'json') ?? bytes.text) : bytes.kind === 'binary' ? shown(bytes, 'hex') : (bytes.text ?? '')
        case 'json':
            try {
                return JSON.stringify(JSON.parse(bytes.text ?? ''), null, 2)
            } catch {
                return undefined
            }
        case 'text':
            return bytes.text ?? new TextDecoder().decode(rawOf(bytes))
        case 'hex':
            return hexDump(rawOf(bytes))
        case 'base64':
            return bytes.base64 ?? btoa(Array.from(rawOf(bytes), (byte) => String.fromCharCode(byte)).join(''))
        case 'integer':
            return integer(rawOf(bytes))
    }
}

function integer(raw: Uint8Array): string | undefined {
    const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength)
    switch (raw.length) {
        case 1:
            return String(view.getInt8(0))
        case 2:
            return String(view.getInt16(0))
        case 4:
            return String(view.getInt32(0))
        case 8:
            return String(view.getBigInt64(0))
        default:
            return undefined
    }
}

const PER_LINE = 16

function hexDump(raw: Uint8Array): string {
    const lines: string[] = []
    for (let at = 0; at < raw.length; at += PER_LINE) {
        const part = [...raw.slice(at, at + PER_LINE)]
        const hex = part.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
        const text = part.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('')
        lines.push(`${at.toString(16).padStart(4, '0')}  ${hex.padEnd(PER_LINE * 3 - 1)}  ${text}`)
    }
    return lines.join('\n')
}

const PREVIEW = 400

/** One line for a table. */
export function preview(bytes: Bytes): string {
    if (bytes.text !== undefined) return bytes.text.slice(0, PREVIEW).replace(/\s+/g, ' ')
    const raw = rawOf({ ...bytes, base64: bytes.base64?.slice(0, 64) })
    return Array.from(raw.slice(0, 32), (byte) => byte.toString(16).padStart(2, '0')).join(' ') + (bytes.size > 32 ? ' …' : '')
}
