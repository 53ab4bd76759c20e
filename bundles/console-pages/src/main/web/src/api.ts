import { signal } from '@preact/signals'
import type { ProblemDocument, Session } from './contract'

/** Relative to the page, so that the console works below any path. */
const ROOT = new URL('api/v1/', document.baseURI).href

/** Who is logged in; undefined until the server has said so, null if nobody is. */
export const session = signal<Session | null | undefined>(undefined)

/** False from the first request that got no answer until one gets an answer again. */
export const connected = signal(true)

/** What the server says when it does not do what was asked; `status` is 0 if there was no answer. */
export class Problem extends Error {
    constructor(
        readonly status: number,
        readonly document: ProblemDocument,
    ) {
        super(document.detail ?? document.title)
    }

    get code(): string {
        return this.document.code ?? ''
    }

    /** The part that answers is away for a while, or nobody answers at all. */
    get passes(): boolean {
        return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504
    }
}

export interface Answer<T> {
    data: T
    etag?: string
}

export function address(path: string, query?: Query): string {
    const url = new URL(path.replace(/^\//, ''), ROOT)
    for (const [key, value] of Object.entries(query ?? {})) {
        if (value !== undefined && value !== '' && value !== false) url.searchParams.set(key, String(value))
    }
    return url.href
}

export type Query = Record<string, string | number | boolean | undefined>

/** A part of a path: topics and groups may have any characters in their names. */
export const part = encodeURIComponent

export async function get<T>(path: string, query?: Query, stop?: AbortSignal): Promise<Answer<T>> {
    return read<T>(await send('GET', path, { query, stop }))
}

export async function change<T = unknown>(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    more: { etag?: string; query?: Query } = {},
): Promise<T> {
    return (await read<T>(await send(method, path, { body, ...more }))).data
}

interface Sending {
    query?: Query
    body?: unknown
    etag?: string
    stop?: AbortSignal
    headers?: Record<string, string>
}

export async function send(method: string, path: string, sending: Sending = {}): Promise<Response> {
    const headers: Record<string, string> = { Accept: 'application/json', ...sending.headers }
    const raw = sending.body instanceof Blob
    if (sending.body !== undefined && !raw) headers['Content-Type'] = 'application/json'
    if (sending.etag) headers['If-Match'] = sending.etag
    if (method !== 'GET') headers['X-Felice-Console'] = '1'
    let response: Response
    try {
        response = await fetch(address(path, sending.query), {
            method,
            headers,
            body: sending.body === undefined ? undefined : raw ? (sending.body as Blob) : JSON.stringify(sending.body),
            signal: sending.stop,
            credentials: 'same-origin',
            cache: 'no-store',
        })
    } catch (failure) {
        if (sending.stop?.aborted) throw failure
        connected.value = false
        throw new Problem(0, { title: 'no answer' })
    }
    connected.value = true
    if (response.ok) return response
    const problem = await problemOf(response)
    if (response.status === 401 && path !== 'session') session.value = null
    throw problem
}

async function problemOf(response: Response): Promise<Problem> {
    let document: ProblemDocument = { title: response.statusText || `HTTP ${response.status}` }
    try {
        const body = await response.json()
        if (typeof body?.title === 'string' || typeof body?.detail === 'string') document = body
    } catch {
        // Not JSON: something between the browser and the node has answered. The status says enough.
    }
    return new Problem(response.status, document)
}

async function read<T>(response: Response): Promise<Answer<T>> {
    const text = response.status === 204 ? '' : await response.text()
    return { data: (text ? JSON.parse(text) : undefined) as T, etag: response.headers.get('ETag') ?? undefined }
}

const RANK = { viewer: 0, operator: 1, admin: 2 }

/** Whether the user has the role, or one above it. */
export function mayAs(role: keyof typeof RANK): boolean {
    return session.value != null && RANK[session.value.role] >= RANK[role]
}
