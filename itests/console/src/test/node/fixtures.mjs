// What the mock answers with: a healthy cluster of three, an empty node, an unhealthy cluster, and one with 5,000 topics.

const NAMES = ['orders', 'payments', 'customers', 'invoices', 'shipments', 'clicks', 'searches', 'inventory', 'prices', 'audit-logins', 'audit-admin', 'emails', 'notifications', 'sessions']
const MINUTE = 60_000

export function cluster(kind) {
    const now = Date.now()
    const brokers = kind === 'empty' ? [broker(1, true)] : [broker(1, true), broker(2), broker(3)]
    if (kind === 'unhealthy') {
        brokers[2].state = 'absent'
        brokers[2].leaders = 0
        brokers[2].underReplicated = brokers[2].replicas
        brokers[2].silent = 'It left the cluster 4 minutes ago: its session in ZooKeeper is over.'
    }
    const topics = kind === 'empty' ? [] : kind === 'large' ? Array.from({ length: 5000 }, (_, i) => topic(`topic-${String(i).padStart(4, '0')}`, i, kind)) : NAMES.map((name, i) => topic(name, i, kind))
    topics.push({ ...topic('__consumer_offsets', 3, kind), internal: true, cleanup: 'compact', partitions: 50, groups: 0 })
    const groups = kind === 'empty' ? [] : kind === 'large' ? Array.from({ length: 2000 }, (_, i) => group(`group-${i}`, [topics[i]], i)) : [group('billing', [topics[0], topics[1]], 0), group('search-index', [topics[2], topics[6]], 1), group('fraud', [topics[1]], 2), group('nightly-export', [topics[0], topics[3], topics[4]], 3)]
    for (const each of topics) each.groupList = groups.filter((one) => one.partitions.some((p) => p.topic === each.name)).map((one) => ({ name: one.name, state: one.state, lag: one.partitions.filter((p) => p.topic === each.name).reduce((sum, p) => sum + (p.lag ?? 0), 0) }))
    for (const each of topics) each.groups = each.groupList.length
    return {
        kind,
        brokers,
        topics,
        groups,
        records: kind === 'empty' ? new Map() : new Map(topics.filter((each) => !each.internal).slice(0, 20).map((each) => [each.name, records(each)])),
        users: [
            { name: 'admin', mechanisms: ['SCRAM-SHA-256', 'SCRAM-SHA-512'], role: 'admin', acls: 3 },
            { name: 'olga', mechanisms: ['SCRAM-SHA-512'], role: 'operator', acls: 6 },
            { name: 'victor', mechanisms: ['SCRAM-SHA-512'], role: 'viewer', acls: 2 },
            { name: 'billing', mechanisms: ['SCRAM-SHA-512'], acls: 4 },
        ],
        acls: kind === 'empty' ? [] : [acl('User:billing', 'read', 'topic', 'orders'), acl('User:billing', 'describe', 'topic', 'orders'), acl('User:billing', 'read', 'group', 'billing'), acl('User:shop', 'write', 'topic', 'orders'), acl('User:shop', 'write', 'topic', 'clicks', 'prefixed'), { ...acl('User:intern', 'read', 'topic', 'payments'), permission: 'deny' }],
        quotas: kind === 'empty' ? [] : [{ user: 'shop', produceBytesPerSecond: 10485760 }, { client: '<default>', fetchBytesPerSecond: 52428800, requestPercent: 200 }],
        plugins: kind === 'empty' ? [] : plugins(kind),
        components: components(),
        operations: kind === 'empty' || kind === 'large' ? [] : [
            { id: 'op-2', kind: 'topic-move', title: 'Move audit-logins to mvstore', state: 'running', startedAt: new Date(now - 2 * MINUTE).toISOString(), by: 'olga', sentence: 'copies partition 3 of 6', cancellable: true, percent: 42, rate: 18_874_368, secondsLeft: 74, subject: 'topic/audit-logins' },
            { id: 'op-1', kind: 'plugin-upgrade', title: 'Upgrade acme-auth', state: 'failed', startedAt: new Date(now - 50 * MINUTE).toISOString(), endedAt: new Date(now - 49 * MINUTE).toISOString(), by: 'admin', sentence: 'acme-auth 1.3.0 did not become healthy: its component waits for configuration com.acme.auth. Version 1.2.0 is back.', cancellable: false, subject: 'plugin/acme-auth' },
        ],
        overview: overview(kind, brokers, topics, groups),
    }
}

function broker(id, controller = false) {
    const host = `kafka-${id}.example.org`
    return {
        id, state: 'live', controller, leaders: 40 + id, replicas: 126, underReplicated: 0, drained: false, host, rack: `rack-${id}`, epoch: 17 + id,
        listeners: [{ name: 'INTERNAL', security: 'SASL_SSL', host, port: 9092 }, { name: 'PLAIN', security: 'PLAINTEXT', host, port: 9192 }],
        engines: ['log', 'mvstore'],
        ...(id === 1
            ? {
                  version: '1.0.0', java: '17.0.15', startedAt: new Date(Date.now() - 93 * 3_600_000).toISOString(), heapUsed: 311_427_072, heapMax: 1_073_741_824, openFiles: 712,
                  logDirs: [
                      { path: 'log:/var/lib/felice/log', engine: 'log', replicas: 118, bytes: 48_318_382_080, total: 214_748_364_800, free: 133_143_986_176 },
                      { path: 'mvstore:/var/lib/felice/mvstore', engine: 'mvstore', replicas: 8, bytes: 734_003_200, total: 214_748_364_800, free: 133_143_986_176 },
                  ],
                  moves: [{ topic: 'audit-logins', partition: 3, from: 'log', to: 'mvstore', phase: 'copying', copiedBytes: 73_400_320, lag: 12_801 }],
                  connections: [{ listener: 'INTERNAL', open: 213, accepted: 18_220, refusedLogins: 4 }, { listener: 'PLAIN', open: 12, accepted: 90, refusedLogins: 0 }],
              }
            : { silent: 'What only this broker knows is shown by its own console.' }),
    }
}

function topic(name, i, kind) {
    const audit = name.startsWith('audit')
    const trouble = kind === 'unhealthy' && i % 3 === 0
    const records = 1000 + ((i * 7919) % 50_000) * 37
    return {
        name, id: `${String(i).padStart(4, '0')}Zm9vYmFyYmF6cXV4`, internal: false, partitions: audit ? 6 : (i % 4) * 4 + 4, replicas: 3,
        underReplicated: trouble ? 2 : 0, offline: kind === 'unhealthy' && i === 9 ? 1 : 0,
        cleanup: name === 'customers' || name === 'prices' ? 'compact' : 'delete', engine: audit ? 'mvstore' : 'log',
        bytes: records * 312, records, retentionMs: audit ? 31_536_000_000 : 604_800_000, groups: 0,
    }
}

function group(name, topics, i) {
    const members = i === 3 ? [] : ['a', 'b', 'c'].slice(0, (i % 3) + 1).map((letter) => ({ id: `${name}-${letter}-4f1d`, client: `${name}-${letter}`, host: `10.0.0.${20 + i}`, partitions: [] }))
    const partitions = topics.flatMap((topic) =>
        Array.from({ length: topic.partitions }, (_, partition) => {
            const end = Math.floor(topic.records / topic.partitions) + partition
            const lag = i === 2 ? 4000 + partition * 913 : i === 3 ? end : (partition * 7) % 23
            const member = members.length ? members[partition % members.length] : undefined
            member?.partitions.push({ topic: topic.name, partition })
            return { topic: topic.name, partition, committed: end - lag, end, lag, lagSeconds: i === 2 ? 42.5 + partition : lag / 20, member: member?.id }
        }),
    )
    return {
        name, type: i === 1 ? 'consumer' : 'classic', protocolType: 'consumer', state: i === 3 ? 'Empty' : i === 1 ? 'Stable' : 'Stable', coordinator: (i % 3) + 1, assignor: i === 3 ? undefined : 'range',
        members: members.length, topics: topics.length, lag: partitions.reduce((sum, each) => sum + each.lag, 0), memberList: members, partitions,
    }
}

const text = (value) => ({ size: Buffer.byteLength(value), kind: value === '' ? 'empty' : /^[[{]/.test(value) ? 'json' : 'text', ...(value === '' ? {} : { text: value }) })
const binary = (...bytes) => ({ size: bytes.length, kind: 'binary', base64: Buffer.from(bytes).toString('base64') })

const ITEMS = ['tea', 'coffee', 'sugar', 'milk', 'cocoa']

function records({ name, partitions }) {
    const now = Date.now()
    const list = Array.from({ length: 400 }, (_, i) => {
        const partition = i % partitions
        const value = JSON.stringify({ id: 10_000 + i, item: ITEMS[i % 5], quantity: (i % 7) + 1, price: Number((3.2 + (i % 40) / 10).toFixed(2)), customer: { id: `c-${(i * 31) % 900}`, country: ['DE', 'IT', 'FR', 'PL'][i % 4] }, paid: i % 3 !== 0 })
        return record(partition, 5000 + Math.floor(i / partitions), now - (400 - i) * 850, text(`${name}-${(i * 31) % 900}`), text(value), i % 5 === 0 ? [{ name: 'trace', value: text(`a1-${i}`) }, { name: 'trace', value: text('second') }, { name: 'flag', value: null }] : [])
    })
    const odd = [
        record(0, 9000, now - 900, text('c-17'), null),
        record(0, 9001, now - 800, null, text('a record without a key')),
        record(0, 9002, now - 700, text('empty'), text('')),
        record(0, 9003, now - 600, binary(0, 0, 0, 42), binary(0xca, 0xfe, 0xba, 0xbe, 0, 1, 2, 3, 250)),
        { ...record(0, 9004, now - 500, null, null), kind: 'commit', key: undefined, value: undefined },
        record(0, 9005, now - 400, text('note'), text('Grüße aus Köln, 東京, and a line\nbreak')),
    ]
    return [...list, ...odd]
}

function record(partition, offset, at, key, value, headers = []) {
    return { partition, offset, timestamp: new Date(at).toISOString(), timestampType: 'create', kind: value === null ? 'tombstone' : 'data', size: (key?.size ?? 0) + (value?.size ?? 0), key, value, headers }
}

export const written = (partition, offset, from) => record(partition, offset, Date.now(), side(from.key), side(from.value), (from.headers ?? []).map((header) => ({ name: header.name, value: side(header.value) })))
const side = (bytes) => (bytes == null ? null : bytes.text !== undefined ? text(bytes.text) : binary(...Buffer.from(bytes.base64, 'base64')))

const acl = (principal, operation, type, name, pattern = 'literal') => ({ principal, host: '*', operation, permission: 'allow', resource: { type, name, pattern } })

function plugins(kind) {
    return [
        { name: 'acme-auth', version: '1.2.0', file: 'acme-auth-1.2.0.jar', state: 'runs', sentence: 'runs', provides: [{ kind: 'authenticator', name: 'ACME' }], signer: 'signed by CN=Acme Inc', kept: ['1.1.4'] },
        { name: 'audit-to-syslog', version: '0.9.1', file: 'audit-to-syslog.jar', state: kind === 'unhealthy' ? 'fails' : 'waits', sentence: kind === 'unhealthy' ? 'its component SyslogSender throws: java.net.UnknownHostException: syslog' : 'waits for configuration org.example.syslog: host, port', provides: [{ kind: 'record listener' }], signer: '', kept: [] },
        { name: 'tiered', version: '2.0.0', file: 'tiered-2.0.0.jar', state: 'left-out', sentence: 'needs io.felice.api.storage [2.0,3), and this node has 1.4. Install a version of tiered for Felice 1.', provides: [{ kind: 'storage engine', name: 'tiered' }], signer: '', kept: [] },
        { name: 'old-policy', version: '1.0.3', file: 'old-policy.jar', state: 'disabled', sentence: 'does not run, because somebody disabled it', provides: [{ kind: 'topic policy' }], signer: '', kept: ['1.0.2', '1.0.1'] },
    ]
}

function overview(kind, brokers, topics, groups) {
    const own = topics.filter((each) => !each.internal)
    const bootstrap = kind === 'empty' ? [{ listener: 'PLAINTEXT', security: 'PLAINTEXT', address: '127.0.0.1:9092' }] : ['INTERNAL', 'PLAIN'].map((name, i) => ({ listener: name, security: i ? 'PLAINTEXT' : 'SASL_SSL', address: brokers.filter((each) => each.state === 'live').map((each) => `${each.host}:${i ? 9192 : 9092}`).join(',') }))
    return {
        verdict: kind === 'unhealthy' ? 'degraded' : 'healthy',
        reasons: kind !== 'unhealthy' ? [] : [
            { severity: 'part', sentence: 'Broker 3 has left the cluster 4 minutes ago.', subject: 'broker/3', remedy: 'Start it again, or drain it if it is gone for good.' },
            { severity: 'part', sentence: '126 partitions have fewer replicas in sync than they should.', remedy: 'They catch up by themselves when broker 3 is back.' },
            { severity: 'part', sentence: 'Partition 2 of audit-logins has no leader: records cannot be written to it.', subject: 'topic/audit-logins' },
        ],
        brokers, topics: own.length, partitions: topics.reduce((sum, each) => sum + each.partitions, 0),
        underReplicated: topics.reduce((sum, each) => sum + each.underReplicated, 0), offline: topics.reduce((sum, each) => sum + each.offline, 0),
        bootstrap, empty: own.length === 0, metadataVersion: 4711, groups: groups.length, controller: 1,
        rates: { bytesIn: 1_900_000, bytesOut: 5_200_000, requests: 2210 },
        plugins: { running: kind === 'empty' ? 0 : 1, troubled: kind === 'empty' ? 0 : 2 }, authorizer: kind !== 'empty',
    }
}

const entry = (name, value, fallback, help, more = {}) => ({ name, source: value === fallback ? 'default' : 'topic', type: 'string', readOnly: false, sensitive: false, value, default: fallback, help, ...more })

export const topicConfigs = () => [
    entry('cleanup.policy', 'delete', 'delete', 'delete: old records go. compact: the latest record of each key stays.', { type: 'list', allowed: ['delete', 'compact', 'compact,delete'] }),
    entry('retention.ms', '604800000', '604800000', 'How long records are kept. -1 is for ever.', { type: 'long', min: -1, unit: 'ms' }),
    entry('retention.bytes', '-1', '-1', 'How many bytes of a partition are kept. -1 is without limit.', { type: 'long', min: -1, unit: 'bytes' }),
    entry('max.message.bytes', '5242880', '1048588', 'The largest batch.', { type: 'int', min: 0, max: 2147483647, unit: 'bytes' }),
    entry('min.insync.replicas', '2', '1', 'How many replicas must have a record before acks=all is answered.', { type: 'int', min: 1 }),
    entry('segment.bytes', '1073741824', '1073741824', 'The size at which a segment is closed.', { type: 'int', min: 14, unit: 'bytes' }),
    entry('segment.ms', '604800000', '604800000', 'The age at which a segment is closed.', { type: 'long', min: 1, unit: 'ms' }),
    entry('compression.type', 'producer', 'producer', 'The codec that records are kept in.', { allowed: ['producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'] }),
    entry('message.timestamp.type', 'CreateTime', 'CreateTime', 'Whose time a record has.', { allowed: ['CreateTime', 'LogAppendTime'] }),
    entry('storage.engine', 'log', 'log', 'The engine that keeps the topic. Move changes it.', { readOnly: true }),
    entry('storage.durability', 'kill', 'kill', 'What an acknowledged record survives.', { allowed: ['kill', 'power', 'none'] }),
]

export const brokerConfigs = () => [
    { ...entry('log.retention.ms', '604800000', '604800000', 'How long topics keep records unless they say otherwise.', { type: 'long', unit: 'ms' }) },
    { ...entry('num.io.threads', '2', '2', 'Threads that serve connections.', { type: 'int', readOnly: true }), source: 'file' },
    { ...entry('max.connections', '4000', '0', 'The most connections of a listener.', { type: 'int', min: 1 }), source: 'allBrokers' },
    { ...entry('ssl.keystore.password', undefined, undefined, 'The password of the key store.', { type: 'password', sensitive: true }), source: 'file' },
]

function components() {
    const setting = (key, type, value, fallback, help, more = {}) => ({ key, type, help, list: false, set: value !== fallback, secret: false, value, default: fallback, ...more })
    return [
        {
            pid: 'io.felice.network', name: 'Network', help: 'Accepts connections and holds back who is too fast.', bundle: 'io.felice.network', plugin: false, file: 'etc/io.felice.network.cfg',
            settings: [
                setting('listeners', 'string', 'PLAINTEXT://127.0.0.1:9092', 'PLAINTEXT://127.0.0.1:9092', 'Where clients connect.', { list: true, restart: false }),
                setting('max.request.bytes', 'integer', '104857600', '104857600', 'The largest request.', { min: '1024', max: '1073741824', restart: false }),
                setting('idle.timeout.ms', 'integer', '300000', '600000', 'After how long an idle connection is closed.', { min: '1000', restart: false }),
                setting('io.threads', 'integer', '2', '2', 'Threads that serve connections.', { min: '1', max: '64', restart: true }),
            ],
            history: [{ version: 7, at: new Date(Date.now() - 3 * 3_600_000).toISOString(), author: 'olga', changed: [{ key: 'idle.timeout.ms', before: '600000', after: '300000', restart: false }] }],
        },
        {
            pid: 'io.felice.security', name: 'Security', help: 'Who may log in, and who may do what.', bundle: 'io.felice.security', plugin: false, file: 'etc/io.felice.security.cfg',
            settings: [
                setting('authorizer', 'string', 'acl', 'none', 'Who decides about rights.', { options: [{ value: 'none', label: 'none: everybody may do everything' }, { value: 'acl', label: 'acl: the ACLs of the cluster' }], restart: false }),
                setting('super.users', 'string', 'User:admin', '', 'Who may do everything.', { list: true, restart: false }),
            ],
            history: [],
        },
        {
            pid: 'io.felice.storage.log', name: 'Storage engine log', help: 'Keeps logs in segment files.', bundle: 'io.felice.storage.log', plugin: false, file: 'etc/io.felice.storage.log.cfg',
            settings: [setting('flush.interval.ms', 'integer', '1000', '1000', 'How often pages are handed to the disk.', { min: '1', max: '60000', restart: false })],
            history: [],
        },
        {
            pid: 'org.example.syslog', name: 'Audit to syslog', help: 'Where the audit log is sent.', bundle: 'audit-to-syslog', plugin: true,
            settings: [setting('host', 'string', undefined, undefined, 'The name of the host.'), setting('port', 'integer', '514', '514', 'Its port.', { min: '1', max: '65535' }), { key: 'token', type: 'password', help: 'The token to log in with.', list: false, set: true, secret: true }],
            history: [],
        },
    ]
}
