import { useState } from 'preact/hooks'
import { Plus, Star } from 'lucide-preact'
import { change } from '../api'
import type { ConfigEntry, TopicDefaults, TopicItem } from '../contract'
import { useLive, usePaged, poke } from '../live'
import { bytes, count, duration, typed, worded } from '../format'
import { go, refine, route, to } from '../route'
import { t } from '../texts'
import { Badge, Button, Cards, Code, Empty, lacks, Note, Page, ProblemNote, Search, Stale, Text, Tick, Trouble, Waiting } from '../parts/base'
import { Dialog, say, useWork } from '../parts/dialog'
import { List, orderNow } from '../parts/table'
import { pinned, pin } from '../pins'

export function TopicsPage() {
    const query = route.value.query
    const internal = query.get('internal') === 'true'
    const problems = query.get('problems') === 'true'
    const sort = orderNow('name')
    const q = query.get('q') ?? ''
    const topics = usePaged<TopicItem>('topics', { q, sort, internal, problems }, { kind: 'topics' })
    const nothing = topics.total === 0 && !topics.loading
    return (
        <Page
            fill
            title={t.nav.topics}
            name={t.nav.topics}
            actions={
                <>
                    <Search label={t.topics.search} />
                    <Tick label={t.topics.problems} value={problems} onInput={(value) => refine({ problems: value }, true)} />
                    <Tick label={t.topics.internal} value={internal} onInput={(value) => refine({ internal: value }, true)} />
                    <Button kind="main" icon={<Plus class="icon" />} denied={lacks('operator')} onClick={() => refine({ new: 1 }, true)}>
                        {t.topics.create}
                    </Button>
                </>
            }
        >
            <Trouble of={topics} />
            {pinned.value.length > 0 && (
                <div class="row" aria-label={t.topics.pinned}>
                    {pinned.value.map((name) => (
                        <a key={name} class="button small" href={to(['topics', name])}>
                            <Star class="icon" aria-hidden />
                            {name}
                        </a>
                    ))}
                </div>
            )}
            <Stale of={topics} class="panel stretch">
                {topics.total === undefined && !topics.problem && <Waiting />}
                {nothing &&
                    (q || problems ? (
                        <Empty title={problems && !q ? t.topics.noProblems : t.nothingFits}>
                            <Button onClick={() => refine({ q: '', problems: false })}>{t.clearFilter}</Button>
                        </Empty>
                    ) : (
                        <Empty title={t.topics.none}>
                            <p class="soft">{t.topics.noneMore}</p>
                            <Code text="bin/felice topic create orders --partitions 6" />
                        </Empty>
                    ))}
                {topics.total !== undefined && topics.total > 0 && (
                    <>
                        <List
                            label={t.nav.topics}
                            rows={topics}
                            id={(topic) => topic.name}
                            sort={sort}
                            columns={[
                                { key: 'name', title: t.name, sort: 'name', class: 'name cut', render: (topic) => <a href={to(['topics', topic.name])}>{topic.name}</a> },
                                { key: 'state', title: t.state, sort: 'underReplicated', render: (topic) => <TopicState topic={topic} /> },
                                { key: 'partitions', title: t.partitions, sort: 'partitions', number: true, render: (topic) => count(topic.partitions) },
                                { key: 'replicas', title: t.replicas, sort: 'replicas', number: true, wide: true, render: (topic) => count(topic.replicas) },
                                { key: 'bytes', title: t.size, sort: 'bytes', number: true, render: (topic) => <span title={topic.bytesPartial ? t.partly : undefined}>{(topic.bytesPartial ? '≥ ' : '') + bytes(topic.bytes)}</span> },
                                { key: 'records', title: t.records, number: true, wide: true, render: (topic) => count(topic.records) },
                                { key: 'groups', title: t.nav.groups, number: true, wide: true, render: (topic) => count(topic.groups) },
                                { key: 'keeps', title: t.topics.keeps, wide: true, render: (topic) => keeps(topic) },
                                { key: 'engine', title: t.topics.engine, sort: 'engine', wide: true, render: (topic) => topic.engine ?? '–' },
                                { key: 'pin', title: '', wide: true, render: (topic) => <Pin name={topic.name} /> },
                            ]}
                        />
                        <div class="under" role="status">
                            {t.topics.found(count(topics.total))}
                        </div>
                    </>
                )}
            </Stale>
            {query.get('new') && !lacks('operator') && <CreateTopic close={() => refine({ new: '' })} />}
        </Page>
    )
}

export function Pin({ name }: { name: string }) {
    const on = pinned.value.includes(name)
    return (
        <Button
            kind="bare"
            small
            pressed={on}
            label={on ? t.topics.unpin(name) : t.topics.pin(name)}
            icon={<Star class="icon" fill={on ? 'currentColor' : 'none'} />}
            onClick={(event) => {
                event.stopPropagation()
                pin(name, !on)
            }}
        />
    )
}

export function TopicState({ topic }: { topic: Pick<TopicItem, 'offline' | 'underReplicated'> }) {
    if (topic.offline > 0) return <Badge tone="bad">{t.topics.offline(topic.offline)}</Badge>
    if (topic.underReplicated > 0) return <Badge tone="warn">{t.topics.under(topic.underReplicated)}</Badge>
    return <Badge tone="good">{t.ok}</Badge>
}

export function keeps(topic: Pick<TopicItem, 'cleanup' | 'retentionMs' | 'retentionBytes'>): string {
    const ways = topic.cleanup.split(',').map((way) => way.trim())
    const words: string[] = []
    if (ways.includes('compact')) words.push(t.topics.latest)
    if (ways.includes('delete')) {
        if (topic.retentionMs !== undefined && topic.retentionMs >= 0) words.push(duration(topic.retentionMs))
        if (topic.retentionBytes !== undefined && topic.retentionBytes >= 0) words.push(bytes(topic.retentionBytes))
    }
    return words.join(', ') || t.topics.forever
}

type Preset = 'log' | 'compacted' | 'short' | 'own'

const PRESETS: Record<Preset, Record<string, string>> = {
    log: {},
    compacted: { 'cleanup.policy': 'compact' },
    short: { 'retention.ms': '3600000', 'segment.ms': '600000' },
    own: {},
}

function CreateTopic({ close }: { close: () => void }) {
    const defaults = useLive<TopicDefaults>('topic-defaults', {}, { every: 0 })
    const [name, setName] = useState('')
    const [partitions, setPartitions] = useState('')
    const [replicas, setReplicas] = useState('')
    const [preset, setPreset] = useState<Preset>('log')
    const [own, setOwn] = useState<Record<string, string>>({})
    const [engine, setEngine] = useState('')
    const configs = { ...PRESETS[preset], ...(preset === 'own' ? exact(own, defaults.data?.configs ?? []) : {}), ...(engine ? { 'storage.engine': engine } : {}) }
    const work = useWork(async () => {
        await change('POST', 'topics', {
            name: name.trim(),
            partitions: partitions ? Number(partitions) : undefined,
            replicas: replicas ? Number(replicas) : undefined,
            configs,
        })
        poke('topics').value++
        say(t.topics.created(name.trim()))
        go(['topics', name.trim()])
    })
    const wrongName = name && !/^[a-zA-Z0-9._-]{1,249}$/.test(name.trim()) ? t.topics.badName : undefined
    const missing = !name.trim() ? t.topics.nameFirst : wrongName
    const data = defaults.data
    const line = ['bin/felice topic create', name.trim() || 'NAME', partitions && `--partitions ${partitions}`, replicas && `--replicas ${replicas}`, ...Object.entries(configs).map(([key, value]) => `--set ${key}=${value}`)].filter(Boolean).join(' ')
    return (
        <Dialog
            title={t.topics.create}
            close={close}
            submit={() => !missing && work.start()}
            footer={
                <>
                    <Button onClick={close}>{t.cancel}</Button>
                    <Button type="submit" kind="main" denied={missing} busy={work.busy}>
                        {t.topics.createIt}
                    </Button>
                </>
            }
        >
            <Text label={t.name} value={name} onInput={setName} wrong={wrongName} autoFocus mono placeholder="orders" />
            <div class="fields">
                <Text label={t.partitions} type="number" value={partitions} onInput={setPartitions} placeholder={data && t.defaultIs(String(data.partitions))} help={t.topics.partitionsHelp} />
                <Text label={t.replicas} type="number" value={replicas} onInput={setReplicas} placeholder={data && t.defaultIs(String(data.replicas))} help={t.topics.replicasHelp} />
            </div>
            <div class="field">
                <span class="label">{t.topics.presets}</span>
                <Cards label={t.topics.presets} value={preset} onInput={(value) => setPreset(value as Preset)} options={(['log', 'compacted', 'short', 'own'] as const).map((key) => [key, t.topics.presetNames[key], t.topics.presetHelp[key]] as const)} />
            </div>
            {preset === 'own' && data && <OwnConfigs entries={data.configs} values={own} change={setOwn} />}
            {data && data.engines.length > 1 && (
                <div class="field">
                    <span class="label">{t.topics.engine}</span>
                    <Cards label={t.topics.engine} value={engine} onInput={setEngine} options={[['', t.topics.byRule, t.topics.byRuleMore] as const, ...data.engines.map((each) => [each, each, t.topics.engines[each] ?? ''] as const)]} />
                </div>
            )}
            <details>
                <summary class="soft">{t.sameByCommand}</summary>
                <Code text={line} />
            </details>
            {defaults.problem && !data && <ProblemNote problem={defaults.problem} />}
            {work.problem && <ProblemNote problem={work.problem} />}
        </Dialog>
    )
}

const OFTEN = ['cleanup.policy', 'retention.ms', 'retention.bytes', 'max.message.bytes', 'min.insync.replicas', 'segment.ms', 'compression.type']

function OwnConfigs({ entries, values, change: set }: { entries: ConfigEntry[]; values: Record<string, string>; change: (values: Record<string, string>) => void }) {
    const shown = OFTEN.map((name) => entries.find((entry) => entry.name === name)).filter((entry) => entry !== undefined)
    return (
        <div class="fields">
            {shown.map((entry) => (
                <Text
                    key={entry.name}
                    label={entry.name}
                    value={values[entry.name] ?? ''}
                    placeholder={t.defaultIs(worded(entry.value ?? entry.default, entry.unit) ?? entry.value ?? entry.default ?? '')}
                    help={exactly(values[entry.name], entry.unit)}
                    onInput={(text) => {
                        const { [entry.name]: _, ...others } = values
                        set(text ? { ...others, [entry.name]: text } : others)
                    }}
                />
            ))}
            <Note plain>{t.topics.othersLater}</Note>
        </div>
    )
}

function exact(values: Record<string, string>, entries: ConfigEntry[]): Record<string, string> {
    return Object.fromEntries(Object.entries(values).map(([name, text]) => [name, typed(text, entries.find((entry) => entry.name === name)?.unit)]))
}

/** What was typed with a unit, as the number that is sent. */
export function exactly(text: string | undefined, unit?: string): string | undefined {
    if (!text || !unit) return undefined
    const value = typed(text, unit)
    return value !== text ? `= ${value}` : worded(value, unit)
}
