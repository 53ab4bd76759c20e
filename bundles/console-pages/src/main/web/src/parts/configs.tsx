import { useMemo, useState } from 'preact/hooks'
import { change, Problem } from '../api'
import type { ConfigChange, ConfigDiff, ConfigEntry, ConfigPatch, Setting } from '../contract'
import { typed, worded } from '../format'
import { route } from '../route'
import { t } from '../texts'
import { Badge, Button, Empty, ProblemNote, Search, Select, Text, Tick } from './base'
import { Dialog, say, useWork } from './dialog'
import { found, List, rowsOf, Table } from './table'

/** A setting of a topic, a broker or a component: what all of them have. */
export interface Entry {
    key: string
    name?: string
    value?: string
    default?: string
    help?: string
    type: string
    options?: (readonly [value: string, words: string])[]
    /** Where the value comes from, in words. */
    source: string
    /** It has a value of its own here. */
    own: boolean
    readOnly: boolean
    secret: boolean
    range?: string
    unit?: string
    restart?: boolean
}

export function ofConfig(entry: ConfigEntry, layer: ConfigEntry['source']): Entry {
    return {
        key: entry.name,
        value: entry.value,
        default: entry.default,
        help: entry.help,
        type: entry.type,
        options: entry.allowed?.map((each) => [each, each] as const),
        source: t.configs.sources[entry.source],
        own: entry.source === layer,
        readOnly: entry.readOnly,
        secret: entry.sensitive,
        range: entry.expected ?? range(entry.min, entry.max, entry.unit),
        unit: entry.unit,
    }
}

export function ofSetting(setting: Setting): Entry {
    return {
        key: setting.key,
        name: setting.name,
        value: setting.value,
        default: setting.default,
        help: setting.help,
        type: setting.type,
        options: setting.options?.map((each) => [each.value, each.label] as const),
        source: setting.set ? t.configs.own : t.configs.sources.default,
        own: setting.set,
        readOnly: false,
        secret: setting.secret,
        range: range(setting.min, setting.max, unitOf(setting.key)),
        unit: unitOf(setting.key),
        restart: setting.restart,
    }
}

/** Settings of components have their unit as the last word of their name. */
function unitOf(key: string): string | undefined {
    return key.endsWith('.ms') ? 'ms' : key.endsWith('.bytes') ? 'bytes' : undefined
}

function range(min?: string | number, max?: string | number, unit?: string): string | undefined {
    const words = (value: string | number) => worded(String(value), unit) ?? String(value)
    const least = min !== undefined && Number(min) > -9e15 ? min : undefined
    const most = max !== undefined && Number(max) < 2147483647 ? max : undefined
    if (least !== undefined && most !== undefined) return t.configs.between(words(least), words(most))
    if (least !== undefined) return t.configs.atLeast(words(least))
    return most !== undefined ? t.configs.atMost(words(most)) : undefined
}

type Drafts = Record<string, string | null>

interface EditorProps {
    label: string
    entries: Entry[]
    /** Where a PATCH goes. */
    path: string
    etag?: string
    denied?: string
    reload: () => void
    /** The words of `own`, for the tick that shows only those. */
    ownWords: string
}

/** A list of settings. Changes are collected, shown as before and after by the server, and saved together. */
export function ConfigEditor({ label, entries, path, etag, denied, reload, ownWords }: EditorProps) {
    const [drafts, setDrafts] = useState<Drafts>({})
    const [edited, setEdited] = useState<Entry>()
    const [reviews, setReviews] = useState(false)
    const [onlyOwn, setOnlyOwn] = useState(false)
    const q = route.value.query.get('q') ?? ''
    const shown = useMemo(() => entries.filter((entry) => (!onlyOwn || entry.own || entry.key in drafts) && found(q, entry.key, entry.name, entry.help, entry.value)), [entries, onlyOwn, q, drafts])
    const draft = (entry: Entry, value: string | null | undefined) => {
        const { [entry.key]: _, ...others } = drafts
        setDrafts(value === undefined ? others : { ...others, [entry.key]: value })
        setEdited(undefined)
    }
    const count = Object.keys(drafts).length
    return (
        <section class="panel stretch">
            <header>
                <Search label={t.configs.search} />
                <Tick label={ownWords} value={onlyOwn} onInput={setOnlyOwn} />
                <span class="grow" />
                {count > 0 && (
                    <>
                        <Button onClick={() => setDrafts({})}>{t.configs.discard}</Button>
                        <Button kind="main" denied={denied} onClick={() => setReviews(true)}>
                            {t.configs.review(count)}
                        </Button>
                    </>
                )}
            </header>
            {shown.length === 0 ? (
                <Empty title={t.nothingFits} />
            ) : (
                <List
                    label={label}
                    rows={rowsOf(shown)}
                    id={(entry) => entry.key}
                    height={50}
                    class="tall"
                    columns={[
                        {
                            key: 'key',
                            title: t.configs.setting,
                            class: 'name cut',
                            render: (entry) => (
                                <div class="stack tight" title={entry.help}>
                                    <span class="row tight">
                                        <code>{entry.key}</code>
                                        {entry.restart && <Badge tone="plain" title={t.configs.restartMore}>{t.configs.restart}</Badge>}
                                    </span>
                                    <span class="small soft cut">{entry.help}</span>
                                </div>
                            ),
                        },
                        { key: 'value', title: t.configs.value, class: 'cut setting-value', render: (entry) => <Value entry={entry} draft={drafts[entry.key]} /> },
                        { key: 'source', title: t.configs.source, wide: true, render: (entry) => (entry.own ? <Badge>{entry.source}</Badge> : <span class="soft">{entry.source}</span>) },
                        { key: 'default', title: t.configs.default, wide: true, class: 'cut setting-value', render: (entry) => <span class="soft">{said(entry.default, entry.unit)}</span> },
                        {
                            key: 'edit',
                            title: '',
                            number: true,
                            render: (entry) => (
                                <Button small label={t.configs.edit(entry.key)} denied={entry.readOnly ? t.configs.readOnly : denied} onClick={() => setEdited(entry)}>
                                    {t.edit}
                                </Button>
                            ),
                        },
                    ]}
                />
            )}
            {edited && <EditOne entry={edited} draft={drafts[edited.key]} close={() => setEdited(undefined)} set={(value) => draft(edited, value)} />}
            {reviews && (
                <Review
                    path={path}
                    etag={etag}
                    patch={patchOf(drafts)}
                    units={Object.fromEntries(entries.map((entry) => [entry.key, entry.unit]))}
                    close={() => setReviews(false)}
                    saved={() => {
                        setReviews(false)
                        setDrafts({})
                        reload()
                    }}
                />
            )}
        </section>
    )
}

function patchOf(drafts: Drafts): ConfigPatch {
    const set: Record<string, string> = {}
    const unset: string[] = []
    for (const [key, value] of Object.entries(drafts)) {
        if (value === null) unset.push(key)
        else set[key] = value
    }
    return { set, unset }
}

const said = (value: string | undefined, unit?: string) => (value === undefined || value === '' ? '–' : worded(value, unit) ?? value)

/** In words, and exactly. */
function both(value: string, unit?: string): string {
    const words = worded(value, unit)
    return words && words !== value ? `${words} (${value})` : value || '–'
}

function Value({ entry, draft }: { entry: Entry; draft?: string | null }) {
    if (draft !== undefined) {
        return (
            <span class="row tight">
                <span class="before">{entry.secret ? '••••' : said(entry.value, entry.unit)}</span>→
                <span class="after">{draft === null ? t.configs.toDefault(said(entry.default, entry.unit)) : entry.secret ? '••••' : said(draft, entry.unit)}</span>
            </span>
        )
    }
    if (entry.secret) return <span class="soft">{entry.own ? t.configs.secretSet : t.configs.secretUnset}</span>
    const words = worded(entry.value, entry.unit)
    return <span title={entry.value}>{words ?? (entry.value === undefined || entry.value === '' ? <span class="soft">–</span> : entry.value)}{words && words !== entry.value && <span class="soft small"> {entry.value}</span>}</span>
}

function EditOne({ entry, draft, close, set }: { entry: Entry; draft?: string | null; close: () => void; set: (value: string | null | undefined) => void }) {
    const [text, setText] = useState(typeof draft === 'string' ? draft : entry.secret ? '' : (entry.value ?? ''))
    const exact = typed(text, entry.unit)
    const options = entry.type === 'boolean' ? ([['true', 'true'], ['false', 'false']] as const).slice() : entry.options
    const words = worded(exact, entry.unit)
    return (
        <Dialog
            title={entry.key}
            close={close}
            submit={() => set(!entry.secret && exact === (entry.value ?? '') ? undefined : exact)}
            footer={
                <>
                    {entry.own && <Button onClick={() => set(null)}>{t.configs.reset}</Button>}
                    <span class="grow" />
                    <Button onClick={close}>{t.cancel}</Button>
                    <Button type="submit" kind="main">
                        {t.configs.take}
                    </Button>
                </>
            }
        >
            {entry.help && <p>{entry.help}</p>}
            {options ? (
                <Select label={t.configs.value} value={text} onInput={setText} options={options.some(([value]) => value === text) ? options : [[text, text || '–'] as const, ...options]} />
            ) : (
                <Text label={t.configs.value} value={text} onInput={setText} type={entry.secret ? 'password' : 'text'} mono autoFocus autocomplete="new-password" help={words && `${exact} = ${words}`} />
            )}
            <dl class="pairs">
                <dt>{t.configs.default}</dt>
                <dd>
                    <code>{entry.default || '–'}</code> {worded(entry.default, entry.unit) && <span class="soft">{worded(entry.default, entry.unit)}</span>}
                </dd>
                {entry.range && (
                    <>
                        <dt>{t.configs.allowed}</dt>
                        <dd>{entry.range}</dd>
                    </>
                )}
                <dt>{t.configs.source}</dt>
                <dd>{entry.source}</dd>
                {entry.restart !== undefined && (
                    <>
                        <dt>{t.configs.effect}</dt>
                        <dd>{entry.restart ? t.configs.afterRestart : t.configs.atOnce}</dd>
                    </>
                )}
            </dl>
        </Dialog>
    )
}

interface ReviewProps {
    path: string
    etag?: string
    patch: ConfigPatch
    units?: Record<string, string | undefined>
    close: () => void
    saved: () => void
}

function Review({ path, etag, patch, units, close, saved }: ReviewProps) {
    const [diff, setDiff] = useState<ConfigChange>()
    const check = useWork(async () => setDiff(await change<ConfigChange>('PATCH', path, patch, { query: { dryRun: true }, etag })))
    const [asked, setAsked] = useState(false)
    if (!asked) {
        setAsked(true)
        void check.start()
    }
    const save = useWork(async () => {
        await change('PATCH', path, patch, { etag })
        say(t.configs.saved)
    }, saved)
    const problem = save.problem ?? check.problem
    return (
        <Dialog
            title={t.configs.reviewTitle}
            close={close}
            broad
            submit={() => diff && save.start()}
            footer={
                <>
                    <Button onClick={close}>{t.configs.back}</Button>
                    <Button type="submit" kind="main" busy={save.busy || check.busy} denied={diff ? (diff.changed.length ? undefined : t.configs.nothing) : t.configs.notChecked}>
                        {t.configs.save}
                    </Button>
                </>
            }
        >
            {problem && <ProblemNote problem={problem.status === 412 ? new Problem(412, { ...problem.document, remedy: t.configs.staleRemedy }) : problem} />}
            {diff && diff.changed.length === 0 && <p>{t.configs.nothing}</p>}
            {diff && diff.changed.length > 0 && <Diff changed={diff.changed} units={units} />}
        </Dialog>
    )
}

export function Diff({ changed, units = {} }: { changed: ConfigDiff[]; units?: Record<string, string | undefined> }) {
    return (
        <Table
            label={t.configs.reviewTitle}
            class="diff plain-rows"
            items={changed}
            id={(each) => each.key}
            columns={[
                { key: 'key', title: t.configs.setting, class: 'top-aligned', render: (each) => <code>{each.key}</code> },
                { key: 'before', title: t.before, class: 'wrap', render: (each) => <span class="before">{each.before === undefined ? t.configs.unset : both(each.before, units[each.key])}</span> },
                { key: 'after', title: t.after, class: 'wrap', render: (each) => <span class="after">{each.after === undefined ? t.configs.unset : both(each.after, units[each.key])}</span> },
                { key: 'restart', title: t.configs.effect, class: 'top-aligned', render: (each) => (each.restart ? <Badge tone="warn">{t.configs.restart}</Badge> : each.restart === false ? t.configs.atOnce : '') },
            ]}
        />
    )
}
