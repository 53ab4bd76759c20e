import { computed, signal } from '@preact/signals'

/** Where the user is: `#/topics/orders/records?from=newest`. The server never sees it, so a path prefix does not matter. */
export interface Route {
    path: string[]
    query: URLSearchParams
}

const hash = signal(location.hash)
addEventListener('hashchange', () => (hash.value = location.hash))

export const route = computed<Route>(() => {
    const [path = '', query = ''] = hash.value.replace(/^#\/?/, '').split('?', 2)
    return { path: path.split('/').filter(Boolean).map(decode), query: new URLSearchParams(query) }
})

function decode(text: string): string {
    try {
        return decodeURIComponent(text)
    } catch {
        return text
    }
}

export type Where = Record<string, string | number | boolean | undefined | null>

export function to(path: (string | number)[], query: Where = {}): string {
    const search = new URLSearchParams()
    for (const [key, value] of Object.entries(query)) {
        if (value !== undefined && value !== null && value !== '' && value !== false) search.set(key, String(value))
    }
    const text = search.toString()
    return '#/' + path.map((each) => encodeURIComponent(each)).join('/') + (text ? '?' + text : '')
}

export function go(path: (string | number)[], query: Where = {}): void {
    location.hash = to(path, query)
}

/** Changes parts of the query of this page. A filter that is typed makes no step for the back button. */
export function refine(changes: Where, step = false): void {
    const query: Where = Object.fromEntries(route.value.query)
    const target = to(route.value.path, { ...query, ...changes })
    if (target === location.hash) return
    if (step) location.hash = target
    else {
        history.replaceState(null, '', target)
        hash.value = target
    }
}
