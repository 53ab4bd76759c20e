import { signal } from '@preact/signals'

const KEY = 'felice.pinned'

function read(): string[] {
    try {
        const names = JSON.parse(localStorage.getItem(KEY) ?? '[]')
        return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []
    } catch {
        return []
    }
}

/** The topics that the user wants at hand, in this browser. */
export const pinned = signal<string[]>(read())

export function pin(name: string, on: boolean): void {
    pinned.value = on ? [...pinned.value.filter((each) => each !== name), name] : pinned.value.filter((each) => each !== name)
    try {
        localStorage.setItem(KEY, JSON.stringify(pinned.value))
    } catch {
        // A browser that keeps storage from pages forgets the pins with the page.
    }
}
