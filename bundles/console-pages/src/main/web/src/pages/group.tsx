import { useState } from 'preact/hooks'
import { ArrowDown, ArrowRight, ArrowUp } from 'lucide-preact'
import { change, part } from '../api'
import type { Group, GroupPartition, MetricsHistory, OffsetReset, ResetResult } from '../contract'
import { useLive } from '../live'
import { compact, count, seconds } from '../format'
import { go, route, to } from '../route'
import { t } from '../texts'
import { Badge, Button, Cards, Copy, Empty, Facts, lacks, Note, Page, Panel, ProblemNote, Select, Stale, Tabs, Text, Trouble, Waiting } from '../parts/base'
import { Confirm, Dialog, say, useWork } from '../parts/dialog'
import { List, orderNow, rowsOf, sorted, Table } from '../parts/table'
import { Chart } from '../parts/chart'
import { GroupState } from './groups'

export function GroupPage({ name }: { name: string }) {
    const live = useLive<Group>(`groups/${part(name)}`, {}, { every: 2000 })
    const past = useLive<MetricsHistory>(`groups/${part(name)}/history`, { minutes: 60 }, { every: 10_000 })
    const [asks, setAsks] = useState<'reset' | 'delete' | { topic: string }>()
    const tab = route.value.path[2] ?? 'lag'
    const group = live.data
    const close = () => setAsks(undefined)
    const lags = past.data?.series.lag ?? []
    const behind = group ? Math.max(-1, ...group.partitions.map((each) => each.lagSeconds ?? -1)) : -1
    const active = group && group.memberList.length > 0 ? t.groups.hasMembers(group.memberList.length) : undefined
    return (
        <Page
            fill
            name={name}
            crumbs={<a href={to(['groups'])}>{t.nav.groups}</a>}
            title={
                <>
                    {name}
                    <Copy text={name} />
                    {group && <GroupState state={group.state} />}
                </>
            }
            actions={
                group && (
                    <>
                        <Button denied={lacks('operator')} onClick={() => setAsks('reset')}>
                            {t.groups.reset}
                        </Button>
                        <Button kind="danger" denied={lacks('operator') ?? active} onClick={() => setAsks('delete')}>
                            {t.delete}
                        </Button>
                    </>
                )
            }
        >
            {live.problem?.status === 404 ? (
                <Empty title={t.groups.gone(name)}>
                    <a href={to(['groups'])}>{t.nav.groups}</a>
                </Empty>
            ) : (
                <Trouble of={live} />
            )}
            {!group && !live.problem && <Waiting />}
            {group && (
                <>
                    <Stale of={live} class="grid">
                        <div class="third">
                            <Panel inside>
                                <Facts
                                    facts={[
                                        [t.groups.lag, <span class="row tight">{(group.lagPartial ? '≥ ' : '') + count(group.lag)} <Trend values={lags} /></span>],
                                        [t.groups.lagSeconds, behind >= 0 ? seconds(behind) : '–'],
                                        [t.groups.members, count(group.memberList.length)],
                                        [t.groups.type, t.groups.types[group.type]],
                                        [t.groups.coordinator, <a href={to(['brokers', group.coordinator])}>{t.brokers.number(group.coordinator)}</a>],
                                        group.assignor !== undefined && [t.groups.assignor, group.assignor],
                                    ]}
                                />
                            </Panel>
                        </div>
                        <div class="two-thirds">
                            <Panel inside>
                                {past.data && past.data.times.length > 1 ? (
                                    <Chart title={t.groups.lagHour} times={past.data.times} words={compact} series={[{ name: t.groups.lag, values: lags }]} />
                                ) : (
                                    <p class="soft">{past.problem ? t.groups.noHistory : t.groups.historyComes}</p>
                                )}
                            </Panel>
                        </div>
                    </Stale>
                    <Tabs
                        label={name}
                        tabs={[
                            { href: to(['groups', name]), words: t.groups.perPartition, much: group.partitions.length, current: tab === 'lag' },
                            { href: to(['groups', name, 'members']), words: t.groups.members, much: group.memberList.length, current: tab === 'members' },
                        ]}
                    />
                    {tab === 'members' ? <Members group={group} /> : <Lags group={group} forget={(topic) => setAsks({ topic })} />}
                    {asks === 'reset' && <Reset group={group} close={close} done={() => void live.reload()} />}
                    {asks === 'delete' && (
                        <Confirm
                            title={t.groups.deleteTitle(name)}
                            act={t.groups.deleteIt}
                            danger
                            retype={name}
                            close={close}
                            run={async () => {
                                await change('DELETE', `groups/${part(name)}`)
                                say(t.groups.deleted(name))
                                go(['groups'])
                            }}
                        >
                            <p>{t.groups.deleteMore(group.partitions.length)}</p>
                        </Confirm>
                    )}
                    {typeof asks === 'object' && (
                        <Confirm
                            title={t.groups.forgetTitle(asks.topic)}
                            act={t.groups.forget}
                            danger
                            close={close}
                            run={async () => {
                                await change('DELETE', `groups/${part(name)}/topics/${part(asks.topic)}`)
                                say(t.groups.forgotten(asks.topic))
                                await live.reload()
                            }}
                        >
                            <p>{t.groups.forgetMore}</p>
                        </Confirm>
                    )}
                </>
            )}
        </Page>
    )
}

/** Whether the lag has grown or shrunk over the last five minutes. */
function Trend({ values }: { values: (number | null)[] }) {
    const known = values.filter((value) => value !== null)
    if (known.length < 4) return null
    const recent = known.slice(-Math.min(30, known.length))
    const before = recent[0]
    const after = recent[recent.length - 1]
    const margin = Math.max(1, before * 0.05)
    if (after > before + margin) return <Badge tone="warn"><ArrowUp class="icon" aria-hidden />{t.groups.growing}</Badge>
    if (after < before - margin) return <Badge tone="good"><ArrowDown class="icon" aria-hidden />{t.groups.shrinking}</Badge>
    return <Badge tone="plain"><ArrowRight class="icon" aria-hidden />{t.groups.steady}</Badge>
}

function Lags({ group, forget }: { group: Group; forget: (topic: string) => void }) {
    const sort = orderNow('topic')
    const most = Math.max(1, ...group.partitions.map((each) => each.lag ?? 0))
    const rows = sorted(group.partitions, sort, (each, key) => (key === 'topic' ? `${each.topic}/${String(each.partition).padStart(6, '0')}` : (each[key as keyof GroupPartition] as number | undefined)))
    const clients = new Map(group.memberList.map((member) => [member.id, member.client]))
    if (rows.length === 0) {
        return (
            <section class="panel">
                <Empty title={t.groups.noOffsets}>
                    <p class="soft">{t.groups.noOffsetsMore}</p>
                </Empty>
            </section>
        )
    }
    return (
        <section class="panel stretch">
            <List
                label={t.groups.perPartition}
                rows={rowsOf(rows)}
                id={(each) => `${each.topic}/${each.partition}`}
                sort={sort}
                columns={[
                    { key: 'topic', title: t.topic.name, sort: 'topic', class: 'name cut', render: (each) => <a href={to(['topics', each.topic])}>{each.topic}</a> },
                    { key: 'partition', title: t.partition, number: true, render: (each) => each.partition },
                    { key: 'committed', title: t.groups.committed, number: true, wide: true, render: (each) => count(each.committed) },
                    { key: 'end', title: t.topic.end, number: true, wide: true, render: (each) => count(each.end) },
                    {
                        key: 'lag',
                        title: t.groups.lag,
                        sort: 'lag',
                        number: true,
                        render: (each) => (
                            <>
                                {count(each.lag)}
                                <span class="bar" aria-hidden="true">
                                    <i style={{ width: `${(100 * (each.lag ?? 0)) / most}%` }} />
                                </span>
                            </>
                        ),
                    },
                    { key: 'lagSeconds', title: t.groups.lagSeconds, sort: 'lagSeconds', number: true, render: (each) => seconds(each.lagSeconds) },
                    { key: 'member', title: t.groups.member, wide: true, class: 'name cut', render: (each) => (each.member ? <span title={each.member}>{clients.get(each.member) ?? each.member}</span> : <span class="soft">{t.groups.nobody}</span>) },
                    {
                        key: 'forget',
                        title: '',
                        wide: true,
                        number: true,
                        render: (each) => (
                            <Button small kind="bare" label={t.groups.forgetLabel(each.topic)} denied={lacks('operator')} onClick={() => forget(each.topic)}>
                                {t.groups.forget}
                            </Button>
                        ),
                    },
                ]}
            />
        </section>
    )
}

function Members({ group }: { group: Group }) {
    if (group.memberList.length === 0) {
        return (
            <section class="panel">
                <Empty title={t.groups.noMembers}>
                    <p class="soft">{t.groups.noMembersMore}</p>
                </Empty>
            </section>
        )
    }
    return (
        <section class="panel stretch">
            <Table
                label={t.groups.members}
                items={group.memberList}
                id={(member) => member.id}
                columns={[
                    { key: 'client', title: t.groups.client, class: 'name cut', render: (member) => <span title={member.id}>{member.client}</span> },
                    { key: 'host', title: t.groups.host, render: (member) => member.host },
                    { key: 'instance', title: t.groups.instance, wide: true, render: (member) => member.instance ?? '–' },
                    { key: 'count', title: t.partitions, number: true, render: (member) => count(member.partitions.length) },
                    { key: 'partitions', title: t.groups.assigned, class: 'wrap', render: (member) => assigned(member.partitions) },
                ]}
            />
        </section>
    )
}

function assigned(partitions: { topic: string; partition: number }[]): string {
    const topics = new Map<string, number[]>()
    for (const { topic, partition } of partitions) topics.set(topic, [...(topics.get(topic) ?? []), partition])
    return [...topics].map(([topic, ids]) => `${topic} [${ids.sort((a, b) => a - b).join(', ')}]`).join(', ') || '–'
}

type To = OffsetReset['to']

function Reset({ group, close, done }: { group: Group; close: () => void; done: () => void }) {
    const topics = [...new Set(group.partitions.map((each) => each.topic))].sort()
    const [target, setTarget] = useState<To>('earliest')
    const [topic, setTopic] = useState('')
    const [value, setValue] = useState('')
    const [preview, setPreview] = useState<ResetResult>()
    const needsValue = target === 'offset' || target === 'time' || target === 'shift'
    const wrong = needsValue && !value ? t.groups.valueMissing : needsValue && target !== 'time' && !/^-?\d+$/.test(value) ? t.groups.wholeNumber : undefined
    const body = (): OffsetReset => ({ to: target, value: needsValue ? (target === 'time' ? new Date(value).getTime() : Number(value)) : undefined, topics: topic ? [{ topic }] : undefined })
    const path = `groups/${part(group.name)}/reset`
    const look = useWork(async () => setPreview(await change<ResetResult>('POST', path, body(), { query: { dryRun: true } })))
    const run = useWork(async () => {
        const result = await change<ResetResult>('POST', path, body())
        const failed = result.rows.filter((row) => row.problem)
        if (result.active) {
            setPreview(result)
            return
        }
        say(failed.length ? t.groups.resetPartly(result.rows.length - failed.length, result.rows.length) : t.groups.resetDone(result.rows.length), failed.length ? 'bad' : 'good')
        done()
        close()
    })
    const again = (step: () => void) => {
        setPreview(undefined)
        step()
    }
    const replayed = preview?.rows.reduce((sum, row) => sum + (row.replayed ?? 0), 0) ?? 0
    const skipped = preview?.rows.reduce((sum, row) => sum + (row.skipped ?? 0), 0) ?? 0
    return (
        <Dialog
            title={t.groups.resetTitle(group.name)}
            close={close}
            broad
            submit={() => (preview && !preview.active ? run.start() : !wrong && look.start())}
            footer={
                <>
                    <Button onClick={close}>{t.cancel}</Button>
                    {preview && !preview.active ? (
                        <Button type="submit" kind="main" busy={run.busy}>
                            {t.groups.resetNow}
                        </Button>
                    ) : (
                        <Button type="submit" kind="main" busy={look.busy} denied={wrong}>
                            {preview ? t.groups.lookAgain : t.groups.preview}
                        </Button>
                    )}
                </>
            }
        >
            <Cards label={t.groups.resetTo} value={target} onInput={(each) => again(() => setTarget(each as To))} options={(['earliest', 'latest', 'offset', 'time', 'shift'] as const).map((each) => [each, t.groups.tos[each], t.groups.toHelp[each]] as const)} />
            <div class="fields">
                {target === 'offset' && <Text label={t.messages.offset} type="number" value={value} onInput={(text) => again(() => setValue(text))} />}
                {target === 'time' && <Text label={t.messages.time} type="datetime-local" value={value} onInput={(text) => again(() => setValue(text))} />}
                {target === 'shift' && <Text label={t.groups.shiftBy} type="number" value={value} onInput={(text) => again(() => setValue(text))} help={t.groups.shiftHelp} />}
                <Select label={t.nav.topics} value={topic} onInput={(text) => again(() => setTopic(text))} options={[['', t.groups.allTopics] as const, ...topics.map((each) => [each, each] as const)]} />
            </div>
            {preview?.active && (
                <Note tone="warn">
                    <b>{t.groups.active}</b>
                    <span>{t.groups.activeMore}</span>
                    <ul>
                        {group.memberList.map((member) => (
                            <li key={member.id}>
                                {member.client} <span class="soft">{member.host}</span>
                            </li>
                        ))}
                    </ul>
                </Note>
            )}
            {(look.problem ?? run.problem) && <ProblemNote problem={(look.problem ?? run.problem)!} />}
            {preview && (
                <>
                    <Facts facts={[[t.partitions, count(preview.rows.length)], [t.groups.replayed, count(replayed)], [t.groups.skipped, count(skipped)]]} />
                    <div class="preview">
                        <Table
                            label={t.groups.preview}
                            class="plain-rows"
                            items={preview.rows}
                            id={(row) => `${row.topic}/${row.partition}`}
                            columns={[
                                { key: 'topic', title: t.topic.name, class: 'name cut', render: (row) => row.topic },
                                { key: 'partition', title: t.partition, number: true, render: (row) => row.partition },
                                { key: 'before', title: t.before, number: true, render: (row) => count(row.before) },
                                { key: 'after', title: t.after, number: true, render: (row) => (row.problem ? <Badge tone="bad" title={row.problem.detail}>{row.problem.title}</Badge> : count(row.after)) },
                                { key: 'effect', title: t.configs.effect, class: 'number', render: (row) => (row.replayed ? t.groups.rereads(count(row.replayed)) : row.skipped ? t.groups.skips(count(row.skipped)) : '–') },
                            ]}
                        />
                    </div>
                </>
            )}
        </Dialog>
    )
}
