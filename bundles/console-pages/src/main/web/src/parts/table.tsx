import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from '@tanstack/virtual-core'
import { ArrowDown, ArrowUp } from 'lucide-preact'
import { refine, route } from '../route'
import { t } from '../texts'

export interface Column<T> {
    key: string
    title: string
    render: (row: T) => ComponentChildren
    number?: boolean
    /** The name by which the server, or `sorted`, sorts it. */
    sort?: string
    /** Left out on narrow screens. */
    wide?: boolean
    class?: string
    help?: string
}

export interface Rows<T> {
    total?: number
    row(index: number): T | undefined
    see?(from: number, to: number): void
}

export const rowsOf = <T,>(items: T[]): Rows<T> => ({ total: items.length, row: (index) => items[index] })

interface ListProps<T> {
    label: string
    columns: Column<T>[]
    rows: Rows<T>
    id: (row: T, index: number) => string | number
    sort?: string
    height?: number
    class?: string
    chosen?: string | number
    onRow?: (row: T) => void
}

const ROW = 34

/** A table of which only the rows in sight are in the page. */
export function List<T>({ label, columns, rows, id, sort, height = ROW, class: classes = '', chosen, onRow }: ListProps<T>) {
    const scroll = useRef<HTMLDivElement>(null)
    const [, redraw] = useState(0)
    const count = rows.total ?? 0
    const options = {
        count,
        getScrollElement: () => scroll.current,
        estimateSize: () => height,
        overscan: 10,
        scrollToFn: elementScroll,
        observeElementRect,
        observeElementOffset,
        onChange: () => redraw((n) => n + 1),
    }
    const virtual = useRef<Virtualizer<HTMLDivElement, HTMLTableRowElement>>()
    virtual.current ??= new Virtualizer(options)
    virtual.current.setOptions(options)
    useLayoutEffect(() => virtual.current!._didMount(), [])
    useLayoutEffect(() => virtual.current!._willUpdate())
    const items = virtual.current.getVirtualItems()
    const first = items[0]?.index ?? 0
    const last = items[items.length - 1]?.index ?? 0
    useEffect(() => rows.see?.(first, last), [first, last, rows])
    const before = items[0]?.start ?? 0
    const after = Math.max(0, virtual.current.getTotalSize() - (items[items.length - 1]?.end ?? 0))
    const ordered = sort ?? ''
    return (
        <div class="scroll" ref={scroll} tabIndex={0} role="region" aria-label={label}>
            <table class={`list ${classes}`} aria-rowcount={count + 1}>
                <caption class="only-read">{label}</caption>
                <thead>
                    <tr>
                        {columns.map((column) => (
                            <Heading key={column.key} column={column} sort={ordered} />
                        ))}
                    </tr>
                </thead>
                <tbody>
                    {before > 0 && <Space height={before} columns={columns.length} />}
                    {items.map(({ index }) => {
                        const row = rows.row(index)
                        if (row === undefined) {
                            return (
                                <tr key={'w' + index} aria-rowindex={index + 2}>
                                    <td colSpan={columns.length}>
                                        <span class="waiting" />
                                    </td>
                                </tr>
                            )
                        }
                        const key = id(row, index)
                        return (
                            <tr
                                key={key}
                                aria-rowindex={index + 2}
                                class={chosen === key ? 'chosen' : ''}
                                onClick={onRow && (() => onRow(row))}
                            >
                                {columns.map((column) => (
                                    <td key={column.key} class={classOf(column)}>
                                        {column.render(row)}
                                    </td>
                                ))}
                            </tr>
                        )
                    })}
                    {after > 0 && <Space height={after} columns={columns.length} />}
                </tbody>
            </table>
        </div>
    )
}

function classOf<T>(column: Column<T>): string {
    return [column.number ? 'number' : '', column.wide ? 'wide-only' : '', column.class ?? ''].filter(Boolean).join(' ')
}

const Space = ({ height, columns }: { height: number; columns: number }) => (
    <tr class="space" aria-hidden="true">
        <td colSpan={columns} style={{ height: `${height}px` }} />
    </tr>
)

function Heading<T>({ column, sort }: { column: Column<T>; sort: string }) {
    if (!column.sort) {
        return (
            <th scope="col" class={classOf(column)} title={column.help}>
                {column.title}
            </th>
        )
    }
    const descending = sort === '-' + column.sort
    const ascending = sort === column.sort
    const next = ascending || (!descending && column.number) ? '-' + column.sort : column.sort
    return (
        <th scope="col" class={classOf(column)} title={column.help} aria-sort={ascending ? 'ascending' : descending ? 'descending' : 'none'}>
            <button type="button" onClick={() => refine({ sort: next })} title={t.sortBy(column.title)}>
                {column.title}
                {ascending && <ArrowUp class="icon" aria-hidden />}
                {descending && <ArrowDown class="icon" aria-hidden />}
            </button>
        </th>
    )
}

/** A short table, all rows in the page. */
export function Table<T>({ label, columns, items, id, sort, class: classes = '' }: { label: string; columns: Column<T>[]; items: T[]; id: (row: T) => string | number; sort?: string; class?: string }) {
    return (
        <div class="scroll" tabIndex={0} role="region" aria-label={label}>
            <table class={`list ${classes}`}>
                <caption class="only-read">{label}</caption>
                <thead>
                    <tr>
                        {columns.map((column) => (
                            <Heading key={column.key} column={column} sort={sort ?? ''} />
                        ))}
                    </tr>
                </thead>
                <tbody>
                    {items.map((row) => (
                        <tr key={id(row)}>
                            {columns.map((column) => (
                                <td key={column.key} class={classOf(column)}>
                                    {column.render(row)}
                                </td>
                            ))}
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    )
}

/** Sorts what is in the browser by the order in the address: `name`, `-bytes`. */
export function sorted<T>(items: T[], sort: string, value: (row: T, key: string) => string | number | undefined): T[] {
    const down = sort.startsWith('-')
    const key = down ? sort.slice(1) : sort
    return [...items].sort((a, b) => {
        const x = value(a, key)
        const y = value(b, key)
        const order = x === undefined ? (y === undefined ? 0 : 1) : y === undefined ? -1 : typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y), undefined, { numeric: true })
        return down ? -order : order
    })
}

export const orderNow = (otherwise: string) => route.value.query.get('sort') ?? otherwise

/** Whether a search finds one of the texts. */
export function found(search: string, ...texts: (string | undefined)[]): boolean {
    const wanted = search.toLowerCase()
    return !wanted || texts.some((text) => text?.toLowerCase().includes(wanted))
}
