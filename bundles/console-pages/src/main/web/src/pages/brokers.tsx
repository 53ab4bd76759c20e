import { useState } from 'preact/hooks'
import { change } from '../api'
import type { BrokerDetail, BrokerPage as Brokers, ConfigList } from '../contract'
import { poke, useLive } from '../live'
import { bytes, count } from '../format'
import { go, route, to } from '../route'
import { t } from '../texts'
import { Badge, Button, Copy, Empty, Facts, lacks, Note, Page, Panel, Stale, Tabs, Time, Trouble, Waiting } from '../parts/base'
import { Confirm, say } from '../parts/dialog'
import { ConfigEditor, ofConfig } from '../parts/configs'
import { Table } from '../parts/table'
import { BrokerState, BrokerTable } from './overview'

export function BrokersPage() {
    const live = useLive<Brokers>('brokers', {}, { kind: 'brokers' })
    const tab = route.value.query.get('tab') ?? ''
    return (
        <Page fill={tab === 'configs'} title={t.nav.brokers} name={t.nav.brokers}>
            <Tabs
                label={t.nav.brokers}
                tabs={[
                    { href: to(['brokers']), words: t.nav.brokers, current: tab === '' },
                    { href: to(['brokers'], { tab: 'configs' }), words: t.brokers.allConfigs, current: tab === 'configs' },
                ]}
            />
            {tab === 'configs' ? (
                <Configs path="cluster-configs" layer="allBrokers" own={t.configs.onlyCluster} />
            ) : (
                <>
                    <Trouble of={live} />
                    {!live.data && !live.problem && <Waiting />}
                    {live.data && (
                        <Stale of={live} class="panel">
                            <BrokerTable items={live.data.items} />
                        </Stale>
                    )}
                    {live.data?.items
                        .filter((broker) => broker.silent)
                        .map((broker) => (
                            <Note key={broker.id}>
                                {t.brokers.number(broker.id)}: {broker.silent}
                            </Note>
                        ))}
                </>
            )}
        </Page>
    )
}

function Configs({ path, layer, own }: { path: string; layer: 'broker' | 'allBrokers'; own: string }) {
    const live = useLive<ConfigList>(path, {}, { every: 0, kind: 'brokers' })
    return (
        <>
            <Trouble of={live} />
            {!live.data && !live.problem && <Waiting />}
            {live.data && <ConfigEditor label={t.configs.title} path={path} etag={live.etag} denied={lacks('admin')} ownWords={own} reload={() => void live.reload()} entries={live.data.items.map((entry) => ofConfig(entry, layer))} />}
        </>
    )
}

export function BrokerPage({ id }: { id: string }) {
    const live = useLive<BrokerDetail>(`brokers/${encodeURIComponent(id)}`, {}, { kind: 'brokers' })
    const [asks, setAsks] = useState<'drain' | 'remove'>()
    const tab = route.value.path[2] ?? 'about'
    const broker = live.data
    const name = t.brokers.number(id)
    const path = `brokers/${encodeURIComponent(id)}`
    return (
        <Page
            fill={tab === 'configs'}
            name={name}
            crumbs={<a href={to(['brokers'])}>{t.nav.brokers}</a>}
            title={
                <>
                    {name}
                    {broker && <BrokerState broker={broker} />}
                    {broker?.controller && <Badge tone="plain">{t.brokers.controller}</Badge>}
                    {broker?.drained && <Badge tone="warn">{t.brokers.drained}</Badge>}
                </>
            }
            actions={
                broker && (
                    <>
                        <Button denied={lacks('admin')} onClick={() => setAsks('drain')}>
                            {broker.drained ? t.brokers.undrain : t.brokers.drain}
                        </Button>
                        <Button kind="danger" denied={lacks('admin') ?? (broker.state === 'absent' ? undefined : t.brokers.liveStays)} onClick={() => setAsks('remove')}>
                            {t.remove}
                        </Button>
                    </>
                )
            }
        >
            {live.problem?.status === 404 ? <Empty title={t.brokers.gone(id)} /> : <Trouble of={live} />}
            {!broker && !live.problem && <Waiting />}
            {broker && (
                <>
                    <Tabs
                        label={name}
                        tabs={[
                            { href: to(['brokers', id]), words: t.brokers.about, current: tab === 'about' },
                            { href: to(['brokers', id, 'configs']), words: t.configs.title, current: tab === 'configs' },
                        ]}
                    />
                    {tab === 'configs' ? (
                        <Configs path={`${path}/configs`} layer="broker" own={t.configs.onlyBroker} />
                    ) : (
                        <Stale of={live} class="stack loose">
                            {broker.silent && <Note tone={broker.state === 'live' ? 'none' : 'warn'}>{broker.silent}</Note>}
                            <About broker={broker} />
                        </Stale>
                    )}
                    {asks === 'drain' && (
                        <Confirm
                            title={broker.drained ? t.brokers.undrainTitle(id) : t.brokers.drainTitle(id)}
                            act={broker.drained ? t.brokers.undrain : t.brokers.drain}
                            close={() => setAsks(undefined)}
                            run={async () => {
                                const { sentence } = await change<{ sentence: string }>('PUT', `${path}/drain`, { drained: !broker.drained })
                                poke('brokers').value++
                                say(sentence)
                            }}
                        >
                            <p>{broker.drained ? t.brokers.undrainMore : t.brokers.drainMore(broker.replicas)}</p>
                        </Confirm>
                    )}
                    {asks === 'remove' && (
                        <Confirm
                            title={t.brokers.removeTitle(id)}
                            act={t.remove}
                            danger
                            retype={id}
                            close={() => setAsks(undefined)}
                            run={async () => {
                                await change('DELETE', path)
                                poke('brokers').value++
                                go(['brokers'])
                            }}
                        >
                            <p>{t.brokers.removeMore}</p>
                        </Confirm>
                    )}
                </>
            )}
        </Page>
    )
}

function About({ broker }: { broker: BrokerDetail }) {
    return (
        <>
            <Panel inside>
                <Facts
                    facts={[
                        [t.brokers.leaders, count(broker.leaders)],
                        [t.replicas, count(broker.replicas)],
                        [t.underReplicated, count(broker.underReplicated)],
                        [t.brokers.engines, broker.engines.join(', ') || '–'],
                        broker.version !== undefined && [t.brokers.version, broker.version],
                        broker.java !== undefined && ['Java', broker.java],
                        broker.startedAt !== undefined && [t.brokers.since, <Time at={broker.startedAt} />],
                        broker.heapUsed !== undefined && [t.brokers.heap, <>{bytes(broker.heapUsed)} <small>{broker.heapMax !== undefined && t.overview.ofMost(bytes(broker.heapMax))}</small></>],
                        broker.openFiles !== undefined && [t.brokers.files, count(broker.openFiles)],
                    ]}
                />
            </Panel>
            <Panel title={t.brokers.listeners}>
                <Table
                    label={t.brokers.listeners}
                    items={broker.listeners}
                    id={(each) => each.name}
                    columns={[
                        { key: 'name', title: t.name, render: (each) => each.name },
                        { key: 'address', title: t.brokers.address, render: (each) => <span class="row tight"><code>{`${each.host}:${each.port}`}</code><Copy text={`${each.host}:${each.port}`} /></span> },
                        { key: 'security', title: t.brokers.security, render: (each) => t.security[each.security] ?? each.security },
                        { key: 'open', title: t.brokers.open, number: true, render: (each) => count(broker.connections?.find((one) => one.listener === each.name)?.open) },
                        { key: 'accepted', title: t.brokers.accepted, number: true, wide: true, render: (each) => count(broker.connections?.find((one) => one.listener === each.name)?.accepted) },
                        { key: 'refused', title: t.brokers.refused, number: true, wide: true, render: (each) => count(broker.connections?.find((one) => one.listener === each.name)?.refusedLogins) },
                    ]}
                />
            </Panel>
            {broker.logDirs && (
                <Panel title={t.brokers.logDirs}>
                    <Table
                        label={t.brokers.logDirs}
                        items={broker.logDirs}
                        id={(each) => each.path}
                        columns={[
                            { key: 'path', title: t.brokers.path, class: 'name cut', render: (each) => <code>{each.path}</code> },
                            { key: 'engine', title: t.topics.engine, render: (each) => each.engine },
                            { key: 'state', title: t.state, render: (each) => (each.error ? <Badge tone="bad" title={each.error}>{each.error}</Badge> : <Badge tone="good">{t.brokers.usable}</Badge>) },
                            { key: 'replicas', title: t.replicas, number: true, render: (each) => count(each.replicas) },
                            { key: 'bytes', title: t.size, number: true, render: (each) => bytes(each.bytes) },
                            { key: 'free', title: t.brokers.free, number: true, render: (each) => <Room free={each.free} total={each.total} /> },
                        ]}
                    />
                </Panel>
            )}
            {broker.moves && broker.moves.length > 0 && (
                <Panel title={t.brokers.moves}>
                    <Table
                        label={t.brokers.moves}
                        items={broker.moves}
                        id={(each) => `${each.topic}/${each.partition}`}
                        columns={[
                            { key: 'log', title: t.brokers.log, class: 'name cut', render: (each) => `${each.topic}-${each.partition}` },
                            { key: 'way', title: t.brokers.way, render: (each) => `${each.from} → ${each.to}` },
                            { key: 'phase', title: t.state, render: (each) => (each.problem ? <Badge tone="bad" title={each.problem}>{each.problem}</Badge> : <Badge tone="busy">{t.brokers.phases[each.phase]}</Badge>) },
                            { key: 'copied', title: t.brokers.copied, number: true, render: (each) => bytes(each.copiedBytes) },
                            { key: 'lag', title: t.brokers.behind, number: true, render: (each) => count(each.lag) },
                        ]}
                    />
                </Panel>
            )}
        </>
    )
}

function Room({ free, total }: { free?: number; total?: number }) {
    if (free === undefined) return <>–</>
    const used = total ? 1 - free / total : 0
    return (
        <>
            {bytes(free)}
            {total !== undefined && (
                <span class={`bar ${used > 0.95 ? 'bad' : used > 0.85 ? 'warn' : ''}`} title={t.brokers.used(Math.round(used * 100))}>
                    <i style={{ width: `${used * 100}%` }} />
                </span>
            )}
        </>
    )
}
