import { effect, signal } from '@preact/signals'
import { address, connected, get, session } from './api'
import { poke, visible } from './live'
import type { MetricsHistory, Operation, OperationPage, Overview } from './contract'

const NAMES = ['bytesIn', 'bytesOut', 'requests', 'failedRequests', 'connections', 'lag', 'heapUsed', 'cpu'] as const
export type Metric = (typeof NAMES)[number]

export interface History {
    times: number[]
    series: Record<Metric, (number | null)[]>
}

/** The last hour of this node. Stands still while the page is hidden, and has a gap where nobody told what happened. */
export const history = signal<History | undefined>(undefined)
export const overviewNow = signal<Overview | undefined>(undefined)
export const operations = signal<Operation[]>([])
/** When the last event came, in milliseconds; 0 while there is no stream. */
export const lastEvent = signal(0)

const HOUR = 3600
const RETRY_MS = 2000

let stream: EventSource | undefined
let retry: ReturnType<typeof setTimeout> | undefined
let gap = false

// A hidden page asks for nothing.
effect(() => {
    const wanted = Boolean(session.value) && visible.value
    if (wanted && !stream) open()
    else if (!wanted) close()
})

function close(): void {
    clearTimeout(retry)
    stream?.close()
    stream = undefined
}

function open(): void {
    clearTimeout(retry)
    void readHistory()
    void readOperations()
    void readOverview()
    const mine = (stream = new EventSource(address('events', { topics: 'metrics,overview,operations,changes' })))
    const on = (name: string, take: (data: any) => void) =>
        mine.addEventListener(name, (event) => {
            lastEvent.value = Date.now()
            connected.value = true
            try {
                take(JSON.parse((event as MessageEvent<string>).data))
            } catch {
                // An event that this page does not understand comes from a newer node; the others count.
            }
        })
    mine.onopen = () => {
        connected.value = true
        lastEvent.value = Date.now()
    }
    mine.onerror = () => {
        if (stream !== mine) return
        lastEvent.value = 0
        gap = true
        mine.close()
        stream = undefined
        // EventSource does not say why: a request does, and ends the session if it is over.
        retry = setTimeout(async () => {
            try {
                await get('session')
            } catch {
                // The request has noted what it found.
            }
            if (session.value && visible.value && !stream) open()
        }, RETRY_MS)
    }
    on('metrics', append)
    on('overview', (data) => (overviewNow.value = data))
    on('operation', merge)
    on('changed', (data) => {
        poke(data.kind).value++
    })
}

async function readHistory(): Promise<void> {
    try {
        const { data } = await get<MetricsHistory>('metrics/history', { names: NAMES.join(), minutes: 60 })
        const series = Object.fromEntries(NAMES.map((name) => [name, data.series[name] ?? data.times.map(() => null)]))
        history.value = { times: data.times, series: series as History['series'] }
    } catch {
        // The charts stay empty, or as they were.
    }
}

function append(data: Record<string, number>): void {
    const old = history.value
    if (!old) return
    const lastTime = old.times[old.times.length - 1] ?? 0
    if (data.time <= lastTime) return
    const from = Math.max(0, old.times.findIndex((time) => time >= data.time - HOUR))
    const times = old.times.slice(from)
    const hole = gap && lastTime > 0
    gap = false
    if (hole) times.push(lastTime + 0.5)
    times.push(data.time)
    const series = Object.fromEntries(
        NAMES.map((name) => [name, [...old.series[name].slice(from), ...(hole ? [null] : []), data[name] ?? null]]),
    )
    history.value = { times, series: series as History['series'] }
}

async function readOverview(): Promise<void> {
    try {
        overviewNow.value = (await get<Overview>('overview')).data
    } catch {
        // The page Overview says why.
    }
}

export async function readOperations(): Promise<void> {
    try {
        operations.value = (await get<OperationPage>('operations')).data.items
    } catch {
        // The drawer keeps what it has.
    }
}

export function merge(operation: Operation): void {
    const known = operations.value.findIndex((each) => each.id === operation.id)
    const next = [...operations.value]
    if (known >= 0) next[known] = operation
    else next.unshift(operation)
    operations.value = next
}

/** What is shown of an hour: the last minutes, thinned so that a curve has no more points than a screen. */
export function lately(all: History, minutes: number, names: Metric[]): { times: number[]; values: (number | null)[][] } {
    const end = all.times[all.times.length - 1] ?? 0
    const from = Math.max(0, all.times.findIndex((time) => time >= end - minutes * 60))
    const count = all.times.length - from
    const step = Math.max(1, Math.ceil(count / 400))
    const times: number[] = []
    const values = names.map(() => [] as (number | null)[])
    for (let i = from; i < all.times.length; i += step) {
        const until = Math.min(i + step, all.times.length)
        times.push(all.times[until - 1])
        names.forEach((name, n) => {
            const part = all.series[name].slice(i, until).filter((value) => value !== null)
            values[n].push(part.length ? part.reduce((a, b) => a + b, 0) / part.length : null)
        })
    }
    return { times, values }
}
