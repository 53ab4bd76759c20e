import { signal, type Signal } from '@preact/signals'
import { useEffect, useRef, useState } from 'preact/hooks'
import { address, get, Problem, session, type Query } from './api'

/**
 * What the server has said to a GET, read again and again while a page shows it. When the server does not answer, the
 * last answer stays, and `problem` says why it is old.
 */
export interface Live<T> {
    data?: T
    etag?: string
    problem?: Problem
    /** When the data came, in milliseconds. */
    at?: number
    loading: boolean
    reload(): Promise<void>
}

interface Kept {
    data: unknown
    etag?: string
    at: number
}

// The last answers, so that going back shows something at once.
const kept = new Map<string, Kept>()
const MOST_KEPT = 60
const RETRY_MS = 2000

/** Counts up with each event of the server that says that things of a kind have changed. */
const pokes = new Map<string, Signal<number>>()

export function poke(kind: string): Signal<number> {
    let found = pokes.get(kind)
    if (!found) pokes.set(kind, (found = signal(0)))
    return found
}

export const visible = signal(!document.hidden)
document.addEventListener('visibilitychange', () => (visible.value = !document.hidden))

export function forget(): void {
    kept.clear()
}

interface Options {
    /** Milliseconds between two readings; 0: once. */
    every?: number
    /** Read again when things of this kind have changed. */
    kind?: string
}

export function useLive<T>(path: string | undefined, query?: Query, options: Options = {}): Live<T> {
    const key = path === undefined ? '' : address(path, query)
    const [, redraw] = useState(0)
    const state = useRef<{ key: string; live: Live<T> }>()
    const reader = useRef<() => Promise<void>>(async () => {})
    if (state.current?.key !== key) {
        const old = kept.get(key)
        state.current = {
            key,
            live: {
                data: old?.data as T | undefined,
                etag: old?.etag,
                at: old?.at,
                loading: !old,
                reload: () => reader.current(),
            },
        }
    }
    const { every = 5000, kind } = options
    useEffect(() => {
        if (path === undefined) return
        let timer: ReturnType<typeof setTimeout> | undefined
        let ended = false
        let stop = new AbortController()
        const readNow = async () => {
            clearTimeout(timer)
            stop.abort()
            const mine = (stop = new AbortController())
            const live = state.current!.live
            let pause = every
            try {
                const { data, etag } = await get<T>(path, query, mine.signal)
                if (ended || mine.signal.aborted) return
                live.data = data
                live.etag = etag
                live.at = Date.now()
                live.problem = undefined
                if (kept.size >= MOST_KEPT) kept.delete(kept.keys().next().value!)
                kept.delete(key)
                kept.set(key, { data, etag, at: live.at })
            } catch (failure) {
                if (ended || mine.signal.aborted) return
                live.problem = failure instanceof Problem ? failure : new Problem(-1, { title: String(failure) })
                if (live.problem.passes) pause = RETRY_MS
                else if (live.problem.status === 404) live.data = undefined
            }
            live.loading = false
            redraw((n) => n + 1)
            if (pause > 0 && visible.value && session.value) timer = setTimeout(readNow, pause)
        }
        reader.current = readNow
        void readNow()
        const endings = [
            visible.subscribe((now) => {
                if (now && (every > 0 || state.current?.live.problem) && !state.current?.live.loading) void readNow()
            }),
        ]
        if (kind) {
            let first = true
            endings.push(
                poke(kind).subscribe(() => {
                    if (first) first = false
                    else void readNow()
                }),
            )
        }
        return () => {
            ended = true
            clearTimeout(timer)
            stop.abort()
            endings.forEach((end) => end())
        }
    }, [key, every, kind])
    return state.current.live
}

const CHUNK = 200

export interface Paged<T> {
    total?: number
    row(index: number): T | undefined
    /** Tells which rows are seen, so that they are loaded. */
    see(from: number, to: number): void
    problem?: Problem
    at?: number
    loading: boolean
    reload(): void
    first?: unknown
}

interface PageOf<T> {
    items: T[]
    total: number
}

/** A long list of the server: only the rows that are seen are loaded, and read again. */
export function usePaged<T>(path: string, query: Query, options: Options = {}): Paged<T> {
    const key = address(path, query)
    const [, redraw] = useState(0)
    const state = useRef<{ key: string; rows: Map<number, T>; paged: Paged<T>; seen: [number, number] }>()
    const reader = useRef<(again: boolean) => Promise<void>>(async () => {})
    if (state.current?.key !== key) {
        const rows = new Map<number, T>()
        const before = state.current
        // While the answer to a new filter is on its way, the total of the old one stays: the page does not jump.
        state.current = {
            key,
            rows,
            seen: [0, CHUNK - 1],
            paged: {
                total: before?.paged.total,
                loading: true,
                row: (index) => rows.get(index),
                see: (from, to) => {
                    const now = state.current!
                    if (now.seen[0] === from && now.seen[1] === to) return
                    now.seen = [from, to]
                    void reader.current(false)
                },
                reload: () => void reader.current(true),
            },
        }
    }
    const { every = 5000, kind } = options
    useEffect(() => {
        let ended = false
        let timer: ReturnType<typeof setTimeout> | undefined
        const asked = new Set<number>()
        const stop = new AbortController()
        const readNow = async (again: boolean) => {
            clearTimeout(timer)
            const { rows, seen, paged } = state.current!
            const chunks: number[] = []
            for (let chunk = Math.floor(seen[0] / CHUNK); chunk <= Math.floor(seen[1] / CHUNK); chunk++) {
                const start = chunk * CHUNK
                if (paged.total !== undefined && !paged.loading && start > 0 && start >= paged.total) break
                const known = paged.total !== undefined && rows.has(start)
                if ((again || !known) && !asked.has(chunk)) chunks.push(chunk)
            }
            let pause = every
            await Promise.all(
                chunks.map(async (chunk) => {
                    asked.add(chunk)
                    try {
                        const { data } = await get<PageOf<T>>(path, { ...query, offset: chunk * CHUNK, limit: CHUNK }, stop.signal)
                        if (ended) return
                        for (let i = 0; i < CHUNK; i++) {
                            if (i < data.items.length) rows.set(chunk * CHUNK + i, data.items[i])
                            else rows.delete(chunk * CHUNK + i)
                        }
                        paged.total = data.total
                        paged.first = data
                        paged.at = Date.now()
                        paged.problem = undefined
                    } catch (failure) {
                        if (ended) return
                        paged.problem = failure instanceof Problem ? failure : new Problem(-1, { title: String(failure) })
                        if (paged.problem.passes) pause = RETRY_MS
                    } finally {
                        asked.delete(chunk)
                    }
                }),
            )
            if (ended) return
            if (chunks.length > 0) {
                paged.loading = false
                redraw((n) => n + 1)
            }
            clearTimeout(timer)
            if (pause > 0 && visible.value && session.value) timer = setTimeout(() => readNow(true), pause)
        }
        reader.current = readNow
        void readNow(true)
        let calls = 0
        const again = () => {
            if (calls++ > 0) void readNow(true)
        }
        const endings = [visible.subscribe((now) => now && again())]
        if (kind) endings.push(poke(kind).subscribe(again))
        return () => {
            ended = true
            stop.abort()
            clearTimeout(timer)
            endings.forEach((end) => end())
        }
    }, [key, every, kind])
    return state.current.paged
}

/** The time of day in milliseconds, every second: for ages. */
export const now = signal(Date.now())
setInterval(() => {
    if (visible.value) now.value = Date.now()
}, 1000)
