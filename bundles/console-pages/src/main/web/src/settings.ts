import { signal } from '@preact/signals'

/** What a user has chosen for this browser. */
export interface Settings {
    theme?: 'light' | 'dark'
    utc: boolean
}

function read(name: string): string | undefined {
    try {
        return localStorage.getItem('felice.' + name) ?? undefined
    } catch {
        return undefined
    }
}

function write(name: string, value: string | undefined): void {
    try {
        if (value === undefined) localStorage.removeItem('felice.' + name)
        else localStorage.setItem('felice.' + name, value)
    } catch {
        // A browser that keeps storage from pages forgets the choice with the page.
    }
}

const theme = read('theme')
export const settings = signal<Settings>({ theme: theme === 'dark' || theme === 'light' ? theme : undefined, utc: read('utc') === 'true' })

const system = matchMedia('(prefers-color-scheme: dark)')
export const dark = signal(settings.value.theme ? settings.value.theme === 'dark' : system.matches)

function show(): void {
    dark.value = settings.value.theme ? settings.value.theme === 'dark' : system.matches
    document.documentElement.classList.toggle('dark', dark.value)
    document.documentElement.classList.toggle('light', !dark.value)
}

system.addEventListener('change', show)

export function choose(changes: Partial<Settings>): void {
    settings.value = { ...settings.value, ...changes }
    write('theme', settings.value.theme)
    write('utc', settings.value.utc ? 'true' : undefined)
    show()
}
