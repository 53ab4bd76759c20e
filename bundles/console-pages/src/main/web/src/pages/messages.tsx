import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Download, Play, RotateCcw, Square, X } from 'lucide-preact'
import { address, get, part, Problem } from '../api'
import { FORMATS, preview, shown, type Format } from '../bytes'
import type { Bytes, KafkaRecord, Records, Topic } from '../contract'
import { bytes, compact, count, time } from '../format'
import { refine, route } from '../route'
import { settings } from '../settings'
import { t } from '../texts'
import { Badge, Button, Choice, Code, Copy, Empty, lacksRight, Note, ProblemNote, Search, Tick, Time } from '../parts/base'
import { List, rowsOf, type Column } from '../parts/table'
import { Produce, type Draft } from './produce'

type From = 'newest' | 'oldest' | 'offset' | 'time' | 'live'
type Within = 'q' | 'key' | 'value' | 'header'

const LIMIT = 100
const MOST_LIVE = 500

interface Asked {
    from: From
    offset?: string
    time?: string
    partition?: string
    within: Within
    text: string
    regex: boolean
}

function asked(): Asked {
    const query = route.value.query
    const within = (query.get('in') ?? 'q') as Within
    return {
        from: (query.get('from') ?? 'newest') as From,
        offset: query.get('offset') ?? undefined,
        time: query.get('time') ?? undefined,
        partition: query.get('partition') ?? undefined,
        within: ['q', 'key', 'value', 'header'].includes(within) ? within : 'q',
        text: query.get('q') ?? '',
        regex: query.get('regex') === 'true',
    }
}

function queryOf({ from, offset, time: at, partition, within, text, regex }: Asked) {
    const filter = text ? { [within]: text, regex } : {}
    if (from === 'live') return { partition, ...filter }
    return {
        from,
        offset: from === 'offset' ? (offset ?? '0') : undefined,
        time: from === 'time' ? new Date(at ?? Date.now() - 3_600_000).getTime() : undefined,
        partition: from === 'offset' ? (partition ?? '0') : partition,
        ...filter,
    }
}

export function Messages({ topic }: { topic: Topic }) {
    const wanted = asked()
    const key = JSON.stringify(wanted)
    const search = useSearch(topic.name, wanted, key)
    const [chosen, setChosen] = useState<string>()
    const [draft, setDraft] = useState<Draft>()
    const unreadable = lacksRight('records.read')
    const record = search.records.find((each) => idOf(each) === chosen)
    const choose = (each: KafkaRecord) => setChosen(idOf(each) === chosen ? undefined : idOf(each))
    return (
        <>
            <div class="row">
                <Choice
                    label={t.messages.from}
                    value={wanted.from}
                    options={(['newest', 'oldest', 'offset', 'time', 'live'] as const).map((each) => [each, t.messages.froms[each]] as const)}
                    onInput={(from) => refine({ from, offset: from === 'offset' ? (wanted.offset ?? '0') : '', time: from === 'time' ? (wanted.time ?? localNow()) : '' }, true)}
                />
                {wanted.from === 'offset' && <Small label={t.messages.offset} type="number" value={wanted.offset ?? '0'} set={(offset) => refine({ offset })} />}
                {wanted.from === 'time' && <Small label={t.messages.time} type="datetime-local" value={wanted.time ?? ''} set={(at) => refine({ time: at })} />}
                <select class="input fit" aria-label={t.partition} value={wanted.partition ?? (wanted.from === 'offset' ? '0' : '')} onInput={(event) => refine({ partition: event.currentTarget.value })}>
                    {wanted.from !== 'offset' && <option value="">{t.messages.allPartitions}</option>}
                    {Array.from({ length: topic.partitions }, (_, id) => (
                        <option key={id} value={String(id)}>
                            {t.messages.partitionNumber(id)}
                        </option>
                    ))}
                </select>
                <span class="row tight">
                    <Search label={t.messages.search} />
                    <select class="input fit" aria-label={t.messages.within} value={wanted.within} onInput={(event) => refine({ in: event.currentTarget.value })}>
                        {(['q', 'key', 'value', 'header'] as const).map((each) => (
                            <option key={each} value={each}>
                                {t.messages.withins[each]}
                            </option>
                        ))}
                    </select>
                    <Tick label={t.messages.regex} value={wanted.regex} onInput={(regex) => refine({ regex })} />
                </span>
                <span class="grow" />
                {wanted.from !== 'live' && (
                    <>
                        <Button icon={<RotateCcw class="icon" />} label={t.messages.again} onClick={search.restart} />
                        <a class="button" href={address(`topics/${part(topic.name)}/records/export`, { ...queryOf(wanted), limit: 1000 })} download={`${topic.name}.ndjson`} aria-disabled={unreadable ? 'true' : undefined} title={unreadable}>
                            <Download class="icon" aria-hidden />
                            {t.messages.export}
                        </a>
                    </>
                )}
            </div>
            {unreadable && <Note>{unreadable}</Note>}
            {search.problem && <ProblemNote problem={search.problem} retry={search.restart} />}
            {search.unread.map((each) => (
                <Note key={each.partition} tone="warn">
                    {t.messages.unread(each.partition, each.sentence)}
                </Note>
            ))}
            <section class="panel stretch all-room">
                {search.records.length === 0 && !search.busy && !search.problem && <Nothing topic={topic} wanted={wanted} />}
                {(search.records.length > 0 || search.busy) && (
                    <div class="split">
                        <List label={t.messages.title} class="records" height={30} rows={rowsOf(search.records)} id={idOf} chosen={chosen} onRow={choose} columns={columns(settings.value.utc, choose).filter((column) => !record || (column.key !== 'size' && column.key !== 'time'))} />
                        {record && <Detail record={record} topic={topic} close={() => setChosen(undefined)} again={() => setDraft(draftOf(record))} />}
                    </div>
                )}
                <Progress search={search} live={wanted.from === 'live'} />
            </section>
            {draft && <Produce topic={topic} draft={draft} close={() => setDraft(undefined)} done={search.restart} />}
        </>
    )
}

const idOf = (record: KafkaRecord) => `${record.partition}-${record.offset}`

function localNow(): string {
    const date = new Date(Date.now() - 3_600_000)
    return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

function Small({ label, type, value, set }: { label: string; type: string; value: string; set: (value: string) => void }) {
    return <input class="input fit" type={type} aria-label={label} value={value} onChange={(event) => set(event.currentTarget.value)} />
}

interface Search {
    records: KafkaRecord[]
    scanned: number
    of: number
    busy: boolean
    /** Why it stands still. */
    end?: Records['end'] | 'stopped'
    skipped: number
    problem?: Problem
    unread: { partition: number; sentence: string }[]
    more?: () => void
    stop: () => void
    restart: () => void
}

const NOTHING = { records: [] as KafkaRecord[], scanned: 0, of: 0, skipped: 0, unread: [] as Search['unread'] }

/** Asks for pages of records until enough were found, the end is reached, or the user stops it. */
function useSearch(topic: string, wanted: Asked, key: string): Search {
    const [state, setState] = useState<Omit<Search, 'more' | 'stop' | 'restart'> & { cursor?: string }>({ ...NOTHING, busy: true })
    const [round, setRound] = useState(0)
    const running = useRef<() => void>(() => {})
    const path = `topics/${part(topic)}/records`

    const run = (cursor: string | undefined, before: KafkaRecord[]) => {
        const stop = new AbortController()
        running.current()
        running.current = () => stop.abort()
        const enough = before.length + LIMIT
        const step = async () => {
            let next = cursor
            let records = before
            setState((old) => ({ ...old, busy: true, end: undefined, problem: undefined }))
            try {
                for (;;) {
                    const { data } = await get<Records>(path, { ...queryOf(wanted), limit: Math.max(1, enough - records.length), cursor: next }, stop.signal)
                    if (stop.signal.aborted) return
                    records = [...records, ...data.records]
                    next = data.cursor
                    const goesOn = (data.end === 'budget' || data.end === 'time') && next !== undefined && records.length < enough
                    setState((old) => ({ ...old, records, scanned: old.scanned + data.scanned, of: Math.max(data.of, old.of), busy: goesOn, end: goesOn ? undefined : data.end, cursor: next, unread: data.problems ?? [] }))
                    if (!goesOn) return
                }
            } catch (failure) {
                if (!stop.signal.aborted) setState((old) => ({ ...old, busy: false, problem: failure instanceof Problem ? failure : new Problem(-1, { title: String(failure) }) }))
            }
        }
        void step()
    }

    const tail = () => {
        running.current()
        const stream = new EventSource(address(path + '/tail', { ...queryOf(wanted), rate: 50 }))
        let failed: ReturnType<typeof setTimeout> | undefined
        running.current = () => {
            stream.close()
            clearTimeout(failed)
        }
        stream.addEventListener('records', (event) => {
            const fresh: KafkaRecord[] = JSON.parse((event as MessageEvent<string>).data)
            setState((old) => ({ ...old, records: [...fresh.reverse(), ...old.records].slice(0, MOST_LIVE) }))
        })
        stream.addEventListener('progress', (event) => {
            const { scanned, skipped } = JSON.parse((event as MessageEvent<string>).data)
            setState((old) => ({ ...old, scanned, skipped }))
        })
        stream.onopen = () => setState((old) => ({ ...old, busy: true, problem: undefined }))
        stream.onerror = () => {
            setState((old) => ({ ...old, problem: new Problem(0, { title: '' }) }))
            if (stream.readyState === EventSource.CLOSED) failed = setTimeout(tail, 2000)
        }
    }

    useEffect(() => {
        setState((old) => ({ ...NOTHING, records: wanted.from === 'live' ? [] : old.records, busy: true }))
        if (wanted.from === 'live') tail()
        else run(undefined, [])
        return () => running.current()
    }, [topic, key, round])

    const { cursor, ...rest } = state
    return {
        ...rest,
        stop: () => {
            running.current()
            setState((old) => ({ ...old, busy: false, end: 'stopped' }))
        },
        more: cursor && !state.busy ? () => run(cursor, state.records) : undefined,
        restart: () => setRound(round + 1),
    }
}

function Progress({ search, live }: { search: Search; live: boolean }) {
    if (search.records.length === 0 && !search.busy && search.end === 'end') return null
    const words = live
        ? search.busy
            ? t.messages.liveSays(count(search.records.length), search.skipped)
            : t.messages.liveStopped
        : [t.messages.found(count(search.records.length)), search.of > 0 && t.messages.looked(compact(search.scanned), compact(search.of)), !search.busy && search.end && t.messages.ends[search.end]].filter(Boolean).join(' · ')
    return (
        <div class="under" role="status">
            <span>{words}</span>
            {search.busy && !live && search.of > 0 && <progress class="fit" value={search.scanned} max={Math.max(search.of, search.scanned)} aria-label={t.messages.searching} />}
            <span class="grow" />
            {search.busy && (live || search.scanned > 0) && (
                <Button small icon={<Square class="icon" />} onClick={search.stop}>
                    {t.stop}
                </Button>
            )}
            {!search.busy && live && (
                <Button small icon={<Play class="icon" />} onClick={search.restart}>
                    {t.goOn}
                </Button>
            )}
            {!live && search.more && (
                <Button small onClick={search.more}>
                    {search.end === 'limit' ? t.messages.more : t.messages.searchOn}
                </Button>
            )}
        </div>
    )
}

function Nothing({ topic, wanted }: { topic: Topic; wanted: Asked }) {
    if (wanted.text) return <Empty title={t.messages.noMatch}>{<Button onClick={() => refine({ q: '' })}>{t.clearFilter}</Button>}</Empty>
    if (wanted.from === 'live') return <Empty title={t.messages.noneYet} />
    return (
        <Empty title={t.messages.none}>
            <p class="soft">{t.messages.noneMore}</p>
            <Code text={`echo '{"key":"42","value":{"item":"tea"}}' | bin/felice produce ${topic.name} --ndjson`} />
        </Empty>
    )
}

const columns = (utc: boolean, choose: (record: KafkaRecord) => void): Column<KafkaRecord>[] => [
    { key: 'partition', title: t.messages.p, number: true, help: t.partition, render: (record) => record.partition },
    {
        key: 'offset',
        title: t.messages.offset,
        number: true,
        render: (record) => (
            <button
                type="button"
                class="as-link"
                onClick={(event) => {
                    event.stopPropagation()
                    choose(record)
                }}
            >
                {count(record.offset)}
            </button>
        ),
    },
    { key: 'time', title: t.messages.time, wide: true, class: 'number left', render: (record) => time(record.timestamp, utc, true) },
    { key: 'key', title: t.messages.key, class: 'key cut mono', render: (record) => <Cell bytes={record.key} hidden={record.hidden} control={isControl(record)} /> },
    {
        key: 'value',
        title: t.messages.value,
        class: 'value cut mono',
        render: (record) =>
            record.kind === 'data' ? (
                <Cell bytes={record.value} hidden={record.hidden} />
            ) : (
                <Badge tone={record.kind === 'tombstone' ? 'warn' : 'plain'} title={t.messages.kindHelp[record.kind]}>
                    {t.messages.kinds[record.kind]}
                </Badge>
            ),
    },
    { key: 'size', title: t.size, number: true, wide: true, render: (record) => bytes(record.size) },
]

const isControl = (record: KafkaRecord) => record.kind !== 'data' && record.kind !== 'tombstone'

function Cell({ bytes: cell, hidden, control }: { bytes?: Bytes | null; hidden?: boolean; control?: boolean }) {
    if (hidden || (cell === undefined && !control)) return <span class="soft">{hidden ? t.messages.hidden : ''}</span>
    if (control) return null
    if (cell === null) return <Badge tone="plain">{t.messages.null}</Badge>
    if (cell!.size === 0) return <Badge tone="plain">{t.messages.emptyBytes}</Badge>
    return (
        <>
            {cell!.kind === 'binary' && <span class="soft">{t.messages.hexMark} </span>}
            {preview(cell!)}
        </>
    )
}

function Detail({ record, topic, close, again }: { record: KafkaRecord; topic: Topic; close: () => void; again: () => void }) {
    return (
        <aside class="record" aria-label={t.messages.record(record.partition, record.offset)}>
            <div class="row apart">
                <h2>{t.messages.record(record.partition, record.offset)}</h2>
                <span class="row tight">
                    {record.kind !== 'commit' && record.kind !== 'abort' && record.kind !== 'control' && !record.hidden && (
                        <Button small denied={lacksRight('records.write')} onClick={again}>
                            {t.messages.produceAgain}
                        </Button>
                    )}
                    <Button kind="bare" small label={t.close} icon={<X class="icon" />} onClick={close} />
                </span>
            </div>
            <dl class="pairs">
                <dt>{t.messages.time}</dt>
                <dd>
                    <Time at={record.timestamp} ms /> <span class="soft">{t.messages.timestampTypes[record.timestampType]}</span>
                </dd>
                <dt>{t.size}</dt>
                <dd>{bytes(record.size)}</dd>
                {record.kind !== 'data' && (
                    <>
                        <dt>{t.messages.kind}</dt>
                        <dd>
                            <Badge tone={record.kind === 'tombstone' ? 'warn' : 'plain'}>{t.messages.kinds[record.kind]}</Badge> {t.messages.kindHelp[record.kind]}
                        </dd>
                    </>
                )}
            </dl>
            {!record.hidden && !isControl(record) && (
                <>
                    <Shown title={t.messages.key} bytes={record.key} memory={`${topic.name}/key`} />
                    {record.kind === 'data' && <Shown title={t.messages.value} bytes={record.value} memory={`${topic.name}/value`} />}
                    {(record.headers?.length ?? 0) > 0 && (
                        <div class="stack tight">
                            <h3>{t.messages.headers}</h3>
                            <dl class="pairs">
                                {record.headers!.map((header, index) => (
                                    <>
                                        <dt key={index}>
                                            <code>{header.name}</code>
                                        </dt>
                                        <dd>{header.value === null ? <Badge tone="plain">{t.messages.null}</Badge> : header.value.size === 0 ? <Badge tone="plain">{t.messages.emptyBytes}</Badge> : <code>{preview(header.value)}</code>}</dd>
                                    </>
                                ))}
                            </dl>
                        </div>
                    )}
                </>
            )}
        </aside>
    )
}

// The format that a user has chosen for the keys or values of a topic.
const remembered = new Map<string, Format>()

function Shown({ title, bytes: cell, memory }: { title: string; bytes?: Bytes | null; memory: string }) {
    const [format, setFormat] = useState<Format>(remembered.get(memory) ?? 'auto')
    const text = useMemo(() => (cell ? shown(cell, format) : undefined), [cell, format])
    return (
        <div class="stack tight">
            <h3>
                <span class="grow">
                    {title} {cell && <span class="soft small">{bytes(cell.size)}</span>}
                </span>
                {cell && cell.size > 0 && (
                    <>
                        <select
                            class="input fit small"
                            aria-label={t.messages.formatOf(title)}
                            value={format}
                            onInput={(event) => {
                                const chosen = event.currentTarget.value as Format
                                remembered.set(memory, chosen)
                                setFormat(chosen)
                            }}
                        >
                            {FORMATS.map((each) => (
                                <option key={each} value={each}>
                                    {t.messages.formats[each]}
                                </option>
                            ))}
                        </select>
                        <Copy text={text ?? ''} />
                    </>
                )}
            </h3>
            {cell === null || cell === undefined ? (
                <span>
                    <Badge tone="plain">{t.messages.null}</Badge>
                </span>
            ) : cell.size === 0 ? (
                <span>
                    <Badge tone="plain">{t.messages.emptyBytes}</Badge>
                </span>
            ) : text === undefined ? (
                <span class="soft">{t.messages.notThisFormat}</span>
            ) : (
                <pre tabIndex={0}>{text}</pre>
            )}
            {cell?.cut && <span class="soft small">{t.messages.cut}</span>}
        </div>
    )
}

function draftOf(record: KafkaRecord): Draft {
    const side = (cell?: Bytes | null) => (cell === null || cell === undefined ? null : cell.text !== undefined ? { text: cell.text } : { base64: cell.base64 ?? '' })
    return { partition: record.partition, key: side(record.key), value: side(record.value), headers: (record.headers ?? []).map((header) => ({ name: header.name, value: side(header.value) })) }
}

