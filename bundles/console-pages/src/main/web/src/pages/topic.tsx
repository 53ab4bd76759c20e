import { useState } from 'preact/hooks'
import { change, part } from '../api'
import type { ConfigList, Operation, PartitionPage, Partition, Topic, TopicAffects, TopicDefaults, TopicGroup } from '../contract'
import { poke, useLive, usePaged } from '../live'
import { bytes, count } from '../format'
import { go, route, to } from '../route'
import { overviewNow } from '../events'
import { t } from '../texts'
import { Badge, Button, Cards, Code, Copy, Empty, Facts, lacks, lacksRight, Note, Page, ProblemNote, Stale, Tabs, Text, Trouble, Waiting } from '../parts/base'
import { Confirm, Dialog, say, useWork } from '../parts/dialog'
import { ConfigEditor, ofConfig } from '../parts/configs'
import { List, Table } from '../parts/table'
import { Messages } from './messages'
import { Produce } from './produce'
import { keeps, Pin, TopicState } from './topics'
import { begun } from './operations'

type Asks = 'produce' | 'partitions' | 'move' | 'purge' | 'delete'

export function TopicPage({ name }: { name: string }) {
    const live = useLive<Topic>(`topics/${part(name)}`, {}, { kind: 'topics' })
    const [asks, setAsks] = useState<Asks>()
    const [produced, setProduced] = useState(0)
    const tab = route.value.path[2] ?? 'messages'
    const topic = live.data
    const close = () => setAsks(undefined)
    const tabs = (['messages', 'partitions', 'groups', 'configs', 'connect'] as const).map((each) => ({
        href: to(each === 'messages' ? ['topics', name] : ['topics', name, each]),
        words: t.topic.tabs[each],
        much: topic && (each === 'partitions' ? topic.partitions : each === 'groups' ? topic.groupList.length : undefined),
        current: tab === each,
    }))
    const internal = topic?.internal ? t.topic.isInternal : undefined
    return (
        <Page
            fill
            name={name}
            crumbs={<a href={to(['topics'])}>{t.nav.topics}</a>}
            title={
                <>
                    {name}
                    <Copy text={name} />
                    <Pin name={name} />
                    {topic && <TopicState topic={topic} />}
                    {topic?.internal && <Badge tone="plain">{t.topics.internal}</Badge>}
                </>
            }
            actions={
                topic && (
                    <>
                        <Button kind="main" denied={internal ?? lacksRight('records.write')} onClick={() => setAsks('produce')}>
                            {t.produce.action}
                        </Button>
                        <Button denied={internal ?? lacks('operator')} onClick={() => setAsks('partitions')}>
                            {t.topic.addPartitions}
                        </Button>
                        <Button denied={lacks('operator')} onClick={() => setAsks('move')}>
                            {t.topic.move}
                        </Button>
                        <Button kind="danger" denied={internal ?? lacks('operator')} onClick={() => setAsks('purge')}>
                            {t.topic.purge}
                        </Button>
                        <Button kind="danger" denied={internal ?? lacks('operator')} onClick={() => setAsks('delete')}>
                            {t.delete}
                        </Button>
                    </>
                )
            }
        >
            {live.problem?.status === 404 ? (
                <Empty title={t.topic.gone(name)}>
                    <a href={to(['topics'])}>{t.nav.topics}</a>
                </Empty>
            ) : (
                <Trouble of={live} />
            )}
            {!topic && !live.problem && <Waiting />}
            {topic && (
                <>
                    <Stale of={live}>
                        <Facts
                            small
                            facts={[
                                [t.partitions, count(topic.partitions)],
                                [t.replicas, count(topic.replicas)],
                                [t.records, topic.records === undefined ? '–' : `≈ ${count(topic.records)}`],
                                [t.size, (topic.bytesPartial ? '≥ ' : '') + bytes(topic.bytes)],
                                [t.topics.keeps, keeps(topic)],
                                [t.topics.engine, topic.engine ?? '–'],
                                [t.topic.id, <code>{topic.id}</code>],
                            ]}
                        />
                    </Stale>
                    <Tabs label={name} tabs={tabs} />
                    {tab === 'messages' && <Messages key={produced} topic={topic} />}
                    {tab === 'partitions' && <Partitions topic={topic} />}
                    {tab === 'groups' && <TopicGroups topic={topic} />}
                    {tab === 'configs' && <TopicConfigs topic={topic} />}
                    {tab === 'connect' && <Connect topic={topic} />}
                    {asks === 'produce' && <Produce topic={topic} close={close} done={() => setProduced(produced + 1)} />}
                    {asks === 'partitions' && <AddPartitions topic={topic} close={close} />}
                    {asks === 'move' && <Move topic={topic} close={close} />}
                    {asks === 'purge' && <PurgeTopic topic={topic} close={close} />}
                    {asks === 'delete' && <DeleteTopic topic={topic} close={close} />}
                </>
            )}
        </Page>
    )
}

function Partitions({ topic }: { topic: Topic }) {
    const rows = usePaged<Partition>(`topics/${part(topic.name)}/partitions`, {}, { kind: 'topics' })
    const unreachable = (rows.first as PartitionPage | undefined)?.unreachable ?? []
    return (
        <>
            <Trouble of={rows} />
            {unreachable.length > 0 && <Note>{t.unreachable(unreachable.map((each) => each.broker).join(', '))}</Note>}
            <Stale of={rows} class="panel stretch">
                <List
                    label={t.partitions}
                    rows={rows}
                    id={(each) => each.id}
                    columns={[
                        { key: 'id', title: t.partition, number: true, render: (each) => <a href={to(['topics', topic.name], { from: 'newest', partition: each.id })}>{each.id}</a> },
                        {
                            key: 'state',
                            title: t.state,
                            render: (each) =>
                                each.leader === undefined ? (
                                    <Badge tone="bad" title={each.problem}>{t.topic.noLeader}</Badge>
                                ) : each.inSync.length < each.replicas.length ? (
                                    <Badge tone="warn" title={each.problem}>{t.topic.behind(each.replicas.filter((id) => !each.inSync.includes(id)).join(', '))}</Badge>
                                ) : (
                                    <Badge tone="good">{t.ok}</Badge>
                                ),
                        },
                        { key: 'leader', title: t.topic.leader, number: true, render: (each) => (each.leader === undefined ? '–' : <a href={to(['brokers', each.leader])}>{each.leader}</a>) },
                        { key: 'replicas', title: t.replicas, render: (each) => each.replicas.join(', ') },
                        { key: 'inSync', title: t.topic.inSync, wide: true, render: (each) => each.inSync.join(', ') },
                        { key: 'start', title: t.topic.start, number: true, wide: true, render: (each) => count(each.start) },
                        { key: 'end', title: t.topic.end, number: true, render: (each) => count(each.end) },
                        { key: 'bytes', title: t.size, number: true, render: (each) => bytes(each.bytes) },
                        { key: 'epoch', title: t.topic.epoch, number: true, wide: true, render: (each) => each.epoch },
                    ]}
                />
            </Stale>
        </>
    )
}

function TopicGroups({ topic }: { topic: Topic }) {
    if (topic.groupList.length === 0) {
        return (
            <section class="panel">
                <Empty title={t.topic.noGroups}>
                    <p class="soft">{t.topic.noGroupsMore}</p>
                </Empty>
            </section>
        )
    }
    return (
        <section class="panel stretch">
            <GroupsTable items={topic.groupList} />
        </section>
    )
}

const GroupsTable = ({ items }: { items: TopicGroup[] }) => (
    <Table
        label={t.nav.groups}
        items={items}
        id={(group) => group.name}
        columns={[
            { key: 'name', title: t.group, class: 'name cut', render: (group) => <a href={to(['groups', group.name])}>{group.name}</a> },
            { key: 'state', title: t.state, render: (group) => <Badge>{t.groups.states[group.state] ?? group.state}</Badge> },
            { key: 'lag', title: t.groups.lag, number: true, render: (group) => count(group.lag) },
        ]}
    />
)

function TopicConfigs({ topic }: { topic: Topic }) {
    const path = `topics/${part(topic.name)}/configs`
    const live = useLive<ConfigList>(path, {}, { every: 0, kind: 'topics' })
    return (
        <>
            <Trouble of={live} />
            {!live.data && !live.problem && <Waiting />}
            {live.data && <ConfigEditor label={t.topic.tabs.configs} path={path} etag={live.etag} denied={lacks('operator')} ownWords={t.configs.onlyTopic} reload={() => void live.reload()} entries={live.data.items.map((entry) => ofConfig(entry, 'topic'))} />}
        </>
    )
}

function Connect({ topic }: { topic: Topic }) {
    const listeners = overviewNow.value?.bootstrap ?? []
    const [chosen, setChosen] = useState(0)
    const listener = listeners[chosen]
    if (!listener) return <Waiting />
    const secure = listener.security.startsWith('SASL')
    const tls = listener.security.endsWith('SSL')
    const properties = [
        `bootstrap.servers=${listener.address}`,
        listener.security !== 'PLAINTEXT' && `security.protocol=${listener.security}`,
        secure && 'sasl.mechanism=SCRAM-SHA-512',
        secure && 'sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="NAME" password="PASSWORD";',
        tls && 'ssl.truststore.location=truststore.p12',
    ]
        .filter(Boolean)
        .join('\n')
    const kcat = [secure && `-X security.protocol=${listener.security} -X sasl.mechanism=SCRAM-SHA-512 -X sasl.username=NAME -X sasl.password=PASSWORD`, !secure && tls && '-X security.protocol=SSL'].filter(Boolean).join(' ')
    const more = kcat && ' ' + kcat
    const python = [`    'bootstrap.servers': '${listener.address}',`, listener.security !== 'PLAINTEXT' && `    'security.protocol': '${listener.security}',`, secure && "    'sasl.mechanism': 'SCRAM-SHA-512', 'sasl.username': 'NAME', 'sasl.password': 'PASSWORD',", "    'group.id': 'my-group',", "    'auto.offset.reset': 'earliest',"].filter(Boolean).join('\n')
    return (
        <section class="panel">
            <div class="inside stack loose">
                {listeners.length > 1 && <Cards label={t.topic.listener} value={String(chosen)} onInput={(value) => setChosen(Number(value))} options={listeners.map((each, index) => [String(index), each.listener, `${each.address} · ${t.security[each.security]}`] as const)} />}
                <div class="stack tight">
                    <h3>{t.topic.properties}</h3>
                    <Code text={properties} />
                </div>
                <div class="stack tight">
                    <h3>kcat</h3>
                    <Code text={`kcat -b ${listener.address}${more} -C -t ${topic.name} -o beginning\necho hello | kcat -b ${listener.address}${more} -P -t ${topic.name}`} />
                </div>
                <div class="stack tight">
                    <h3>Java</h3>
                    <Code
                        text={`Properties properties = new Properties();\nproperties.load(new FileReader("client.properties"));\nproperties.put("group.id", "my-group");\ntry (var consumer = new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {\n    consumer.subscribe(List.of("${topic.name}"));\n    while (true) {\n        consumer.poll(Duration.ofSeconds(1)).forEach(record -> System.out.println(record.value()));\n    }\n}`}
                    />
                </div>
                <div class="stack tight">
                    <h3>Python (confluent-kafka)</h3>
                    <Code text={`from confluent_kafka import Consumer\n\nconsumer = Consumer({\n${python}\n})\nconsumer.subscribe(['${topic.name}'])\nwhile True:\n    message = consumer.poll(1.0)\n    if message is not None and message.error() is None:\n        print(message.value())`} />
                </div>
                <div class="stack tight">
                    <h3>Felice</h3>
                    <Code text={`bin/felice consume ${topic.name} --offset start`} />
                </div>
            </div>
        </section>
    )
}

function AddPartitions({ topic, close }: { topic: Topic; close: () => void }) {
    const [wanted, setWanted] = useState(String(topic.partitions + 1))
    const number = Number(wanted)
    const wrong = Number.isInteger(number) && number > topic.partitions ? undefined : t.topic.morePartitions(topic.partitions)
    const work = useWork(async () => {
        await change('POST', `topics/${part(topic.name)}/partitions`, { count: number })
        poke('topics').value++
        say(t.topic.partitionsAdded(number))
    }, close)
    return (
        <Dialog
            title={t.topic.addPartitions}
            close={close}
            submit={() => !wrong && work.start()}
            footer={
                <>
                    <Button onClick={close}>{t.cancel}</Button>
                    <Button type="submit" kind="main" busy={work.busy} denied={wrong}>
                        {t.topic.addPartitions}
                    </Button>
                </>
            }
        >
            <Text label={t.topic.partitionsAfter} type="number" value={wanted} onInput={setWanted} wrong={wrong} autoFocus />
            <Note tone="warn">{t.topic.keysMove}</Note>
            {work.problem && <ProblemNote problem={work.problem} />}
        </Dialog>
    )
}

function Move({ topic, close }: { topic: Topic; close: () => void }) {
    const defaults = useLive<TopicDefaults>('topic-defaults', {}, { every: 0 })
    const engines = (defaults.data?.engines ?? []).filter((each) => each !== topic.engine)
    const [engine, setEngine] = useState('')
    return (
        <Confirm
            title={t.topic.moveTitle(topic.name)}
            act={t.topic.move}
            denied={engine ? undefined : t.topic.chooseEngine}
            close={close}
            run={async () => {
                begun(await change<Operation>('POST', `topics/${part(topic.name)}/move`, { engine }))
                say(t.topic.moving)
            }}
        >
            <p>{t.topic.moveMore(topic.engine ?? '–')}</p>
            {defaults.data && engines.length === 0 ? <Note>{t.topic.oneEngine}</Note> : <Cards label={t.topics.engine} value={engine} onInput={setEngine} options={engines.map((each) => [each, each, t.topics.engines[each] ?? ''] as const)} />}
        </Confirm>
    )
}

function PurgeTopic({ topic, close }: { topic: Topic; close: () => void }) {
    return (
        <Confirm
            title={t.topic.purgeTitle(topic.name)}
            act={t.topic.purge}
            danger
            retype={topic.name}
            close={close}
            run={async () => {
                await change('POST', `topics/${part(topic.name)}/purge`, {})
                poke('topics').value++
                say(t.topic.purged)
            }}
        >
            <p>{t.topic.purgeMore}</p>
            <Affects topic={topic} />
        </Confirm>
    )
}

function DeleteTopic({ topic, close }: { topic: Topic; close: () => void }) {
    return (
        <Confirm
            title={t.topic.deleteTitle(topic.name)}
            act={t.topic.deleteIt}
            danger
            retype={topic.name}
            close={close}
            run={async () => {
                await change('DELETE', `topics/${part(topic.name)}`)
                poke('topics').value++
                say(t.topic.deleted(topic.name))
                go(['topics'])
            }}
        >
            <p>{t.topic.deleteMore}</p>
            <Affects topic={topic} />
        </Confirm>
    )
}

function Affects({ topic }: { topic: Topic }) {
    const live = useLive<TopicAffects>(`topics/${part(topic.name)}/affects`, {}, { every: 0 })
    if (live.problem) return <ProblemNote problem={live.problem} />
    if (!live.data) return <Waiting />
    const { groups, acls, partitions, records, bytes: size } = live.data
    return (
        <div class="stack">
            <Facts facts={[[t.partitions, count(partitions)], [t.records, records === undefined ? '–' : `≈ ${count(records)}`], [t.size, bytes(size)], [t.topic.acls, count(acls)]]} />
            {groups.length > 0 ? (
                <Note tone="warn">
                    <b>{t.topic.groupsLose(groups.length)}</b>
                    <ul>
                        {groups.slice(0, 20).map((group) => (
                            <li key={group.name}>
                                {group.name} <span class="soft">{t.groups.states[group.state] ?? group.state}</span>
                            </li>
                        ))}
                    </ul>
                </Note>
            ) : (
                <p class="soft">{t.topic.noGroupReads}</p>
            )}
        </div>
    )
}
