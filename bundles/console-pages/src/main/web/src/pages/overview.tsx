import { useState } from 'preact/hooks'
import { Check, TriangleAlert, CircleAlert, Pause, Play } from 'lucide-preact'
import { history, lately, overviewNow, lastEvent, type History } from '../events'
import { now, useLive } from '../live'

import { compact, count, rate } from '../format'
import { to, refine, route } from '../route'
import { t } from '../texts'
import type { Broker, Overview } from '../contract'
import { Age, Badge, Button, Choice, Code, Copy, Empty, Facts, Page, Panel, Stale, Trouble, Waiting } from '../parts/base'
import { Table } from '../parts/table'
import { Chart } from '../parts/chart'

const SILENT_MS = 15_000

export function OverviewPage() {
    const live = useLive<Overview>('overview')
    const data = (!live.problem && overviewNow.value) || live.data
    return (
        <Page title={t.nav.overview} name={t.nav.overview}>
            <Trouble of={live} />
            {!data ? (
                !live.problem && <Waiting />
            ) : (
                <>
                    <Stale of={live} class="grid">
                        <div class="two-thirds">
                            <Verdict data={data} />
                        </div>
                        <div class="third">
                            <Bootstrap data={data} />
                        </div>
                        {data.empty && (
                            <div>
                                <NextSteps data={data} />
                            </div>
                        )}
                    </Stale>
                    <Throughput />
                    <Stale of={live}>
                        <Panel title={t.nav.brokers} actions={<a href={to(['brokers'])}>{t.all}</a>}>
                            <BrokerTable items={data.brokers} />
                        </Panel>
                    </Stale>
                </>
            )}
        </Page>
    )
}

const TONES = { healthy: '', degraded: 'warn', down: 'bad' } as const

function Verdict({ data }: { data: Overview }) {
    const tone = TONES[data.verdict]
    const absent = data.brokers.filter((broker) => broker.state !== 'live').length
    return (
        <section class="panel whole" aria-label={t.overview.verdict}>
            <div class={`verdict ${tone}`} role="status">
                <span class="mark">{tone === '' ? <Check class="icon" /> : tone === 'warn' ? <TriangleAlert class="icon" /> : <CircleAlert class="icon" />}</span>
                <div class="grow">
                    <h2>{t.overview.verdicts[data.verdict]}</h2>
                    {data.reasons.length === 0 ? (
                        <p class="soft">{t.overview.allWell(data.brokers.length - absent)}</p>
                    ) : (
                        <ul class="reasons">
                            {data.reasons.map((reason) => (
                                <li key={reason.sentence}>
                                    <Badge tone={reason.severity === 'node' ? 'bad' : 'warn'}>{t.overview.severity[reason.severity]}</Badge>
                                    <div>
                                        {reason.sentence} {reason.subject && <Subject subject={reason.subject} />}
                                        {reason.remedy && <div class="soft">{reason.remedy}</div>}
                                    </div>
                                </li>
                            ))}
                        </ul>
                    )}
                </div>
            </div>
            <div class="inside">
                <Facts
                    facts={[
                        [t.nav.brokers, <a href={to(['brokers'])}>{absent ? t.overview.of(data.brokers.length - absent, data.brokers.length) : count(data.brokers.length)}</a>],
                        [t.nav.topics, <a href={to(['topics'])}>{count(data.topics)}</a>],
                        [t.partitions, count(data.partitions)],
                        [t.underReplicated, <a href={to(['topics'], { problems: data.underReplicated > 0 })}>{count(data.underReplicated)}</a>],
                        [t.offline, count(data.offline)],
                        data.groups !== undefined && [t.nav.groups, <a href={to(['groups'])}>{count(data.groups)}</a>],
                        data.plugins !== undefined && [
                            t.nav.plugins,
                            <a href={to(['plugins'])}>
                                {count(data.plugins.running)} {data.plugins.troubled > 0 && <Badge tone="warn">{t.overview.troubled(data.plugins.troubled)}</Badge>}
                            </a>,
                        ],
                    ]}
                />
            </div>
        </section>
    )
}

function Subject({ subject }: { subject: string }) {
    const [kind, ...rest] = subject.split('/')
    const name = rest.join('/')
    const pages: Record<string, string> = { broker: 'brokers', topic: 'topics', group: 'groups', plugin: 'plugins' }
    return pages[kind] && name ? <a href={to([pages[kind], name])}>{t.look}</a> : null
}

function Bootstrap({ data }: { data: Overview }) {
    return (
        <Panel title={t.overview.bootstrap}>
            <div class="inside stack">
                {data.bootstrap.length === 0 && <p class="soft">{t.overview.noListener}</p>}
                {data.bootstrap.map((each) => (
                    <div key={each.listener} class="stack tight">
                        <div class="row apart">
                            <span class="soft">{each.listener}</span>
                            <span class="soft small">{t.security[each.security]}</span>
                        </div>
                        <Code text={each.address} oneLine />
                    </div>
                ))}
            </div>
        </Panel>
    )
}

function NextSteps({ data }: { data: Overview }) {
    const bootstrap = data.bootstrap[0]?.address ?? '127.0.0.1:9092'
    return (
        <Panel title={t.overview.next}>
            <ol class="steps">
                <li>
                    <div>
                        <h3>{t.overview.step1}</h3>
                        <p class="soft">{t.overview.step1more}</p>
                        <a class="button main-action" href={to(['topics'], { new: 1 })}>
                            {t.topics.create}
                        </a>
                    </div>
                </li>
                <li>
                    <div>
                        <h3>{t.overview.step2}</h3>
                        <p class="soft">{t.overview.step2more}</p>
                        <Code text={`echo hello | kcat -b ${bootstrap} -P -t orders`} />
                    </div>
                </li>
                <li>
                    <div>
                        <h3>{t.overview.step3}</h3>
                        <Code text={`bootstrap.servers=${bootstrap}`} />
                    </div>
                </li>
                {data.authorizer === false && (
                    <li>
                        <div>
                            <h3>{t.overview.step4}</h3>
                            <p class="soft">{t.overview.step4more}</p>
                            <a href={to(['security'])}>{t.nav.security}</a>
                        </div>
                    </li>
                )}
            </ol>
        </Panel>
    )
}

function Throughput() {
    const [paused, setPaused] = useState<History>()
    const minutes = Number(route.value.query.get('minutes') ?? 15)
    const all = paused ?? history.value
    const silent = lastEvent.value === 0 || now.value - lastEvent.value > SILENT_MS
    if (!all) return null
    const traffic = lately(all, minutes, ['bytesIn', 'bytesOut'])
    const asked = lately(all, minutes, ['requests', 'failedRequests'])
    const open = lately(all, minutes, ['connections'])
    return (
        <Panel
            title={t.overview.traffic}
            actions={
                <>
                    {silent && !paused && (lastEvent.value > 0 ? <Age at={lastEvent.value} /> : <Badge tone="warn">{t.disconnected}</Badge>)}
                    <Choice
                        label={t.range}
                        value={String(minutes)}
                        options={[
                            ['5', t.minutes(5)],
                            ['15', t.minutes(15)],
                            ['60', t.minutes(60)],
                        ]}
                        onInput={(value) => refine({ minutes: value })}
                    />
                    <Button label={paused ? t.goOn : t.pause} pressed={Boolean(paused)} icon={paused ? <Play class="icon" /> : <Pause class="icon" />} onClick={() => setPaused(paused ? undefined : all)} />
                </>
            }
        >
            <div class={`inside charts ${silent && !paused ? 'stale' : ''}`}>
                <Chart title={t.overview.bytes} times={traffic.times} words={rate} bytes series={[{ name: t.overview.in, values: traffic.values[0] }, { name: t.overview.out, values: traffic.values[1] }]} />
                <Chart title={t.overview.requests} times={asked.times} words={compact} series={[{ name: t.overview.answered, values: asked.values[0] }, { name: t.overview.failed, values: asked.values[1] }]} />
                <Chart title={t.overview.connections} times={open.times} words={compact} series={[{ name: t.overview.open, values: open.values[0] }]} />
            </div>
        </Panel>
    )
}

export function BrokerTable({ items }: { items: Broker[] }) {
    if (items.length === 0) return <Empty title={t.brokers.none} />
    return (
        <Table
            label={t.nav.brokers}
            items={items}
            id={(broker) => broker.id}
            columns={[
                {
                    key: 'id',
                    title: t.brokers.broker,
                    render: (broker) => (
                        <span class="row tight">
                            <a href={to(['brokers', broker.id])}>{t.brokers.number(broker.id)}</a>
                            {broker.controller && <Badge tone="plain">{t.brokers.controller}</Badge>}
                            {broker.drained && <Badge tone="warn">{t.brokers.drained}</Badge>}
                        </span>
                    ),
                },
                { key: 'state', title: t.state, render: (broker) => <BrokerState broker={broker} /> },
                { key: 'host', title: t.brokers.address, wide: true, render: (broker) => (broker.listeners[0] ? <span class="row tight">{`${broker.listeners[0].host}:${broker.listeners[0].port}`}<Copy text={`${broker.listeners[0].host}:${broker.listeners[0].port}`} /></span> : '–') },
                { key: 'rack', title: t.brokers.rack, wide: true, render: (broker) => broker.rack ?? '–' },
                { key: 'leaders', title: t.brokers.leaders, number: true, render: (broker) => count(broker.leaders) },
                { key: 'replicas', title: t.replicas, number: true, render: (broker) => count(broker.replicas) },
                { key: 'under', title: t.underReplicated, number: true, render: (broker) => (broker.underReplicated ? <Badge tone="warn">{count(broker.underReplicated)}</Badge> : '0') },
            ]}
        />
    )
}

export function BrokerState({ broker }: { broker: Broker }) {
    if (broker.state === 'absent') return <Badge tone="bad">{t.brokers.states.absent}</Badge>
    if (broker.state === 'leaving') return <Badge tone="warn">{t.brokers.states.leaving}</Badge>
    return broker.silent ? (
        <Badge tone="good" title={broker.silent}>
            {t.brokers.states.live}
        </Badge>
    ) : (
        <Badge tone="good">{t.brokers.states.live}</Badge>
    )
}

