// A server that answers as the bundle console does, with made-up clusters, and sends the built pages under the policy of
// the guard. For states that a real node does not get into on command. Run alone: node mock.mjs [kind] [port]
import { createServer } from 'node:http'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brokerConfigs, cluster, topicConfigs, written } from './fixtures.mjs'

const PAGES = resolve(process.env.FELICE_PAGES ?? fileURLToPath(new URL('../../../../../bundles/console-pages/target/pages', import.meta.url)))
const TYPES = { html: 'text/html;charset=utf-8', js: 'text/javascript;charset=utf-8', css: 'text/css;charset=utf-8', svg: 'image/svg+xml' }
const POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
const RIGHTS = ['records.read', 'records.write']

class Refusal extends Error {
    constructor(status, code, detail, more = {}) {
        super(detail)
        this.body = { type: `/problems/${code}`, title: code.replaceAll('-', ' '), status, code, detail, ...more }
    }
}

/**
 * Starts the mock on a free port. The object that comes back changes what it does: `away` is the set of the first words of
 * paths that answer 503, `role` and `rights` are those of whoever logs in.
 */
export async function mock({ kind = 'healthy', port = 0, setup = kind === 'empty', loggedIn = false, role = 'admin', rights = RIGHTS, prefix = '' } = {}) {
    const state = { ...cluster(kind), away: new Set(), role, rights, setup, loggedIn, streams: new Set(), requests: [], problem: undefined, silent: false }
    const server = createServer((request, response) => {
        if (state.silent) return request.socket.destroy()
        answer(state, prefix, request, response).catch((failure) => {
            const body = failure instanceof Refusal ? failure.body : { type: '/problems/internal', title: 'internal', status: 500, code: 'internal', detail: String(failure.stack) }
            if (!response.headersSent) response.writeHead(body.status, { 'Content-Type': 'application/problem+json' })
            response.end(JSON.stringify(body))
        })
    })
    await new Promise((done) => server.listen(port, '127.0.0.1', done))
    const timer = setInterval(() => tick(state), 1000)
    return Object.assign(state, {
        url: `http://127.0.0.1:${server.address().port}${prefix}/`,
        tell: (event, data) => state.streams.forEach((stream) => send(stream, event, data)),
        close: () => {
            clearInterval(timer)
            server.closeAllConnections()
            return new Promise((done) => server.close(done))
        },
    })
}

async function answer(state, prefix, request, response) {
    const url = new URL(request.url, 'http://localhost')
    if (!url.pathname.startsWith(prefix + '/')) throw new Refusal(404, 'not-found', 'There is nothing here.')
    const path = url.pathname.slice(prefix.length)
    response.setHeader('Content-Security-Policy', POLICY)
    response.setHeader('X-Content-Type-Options', 'nosniff')
    if (!path.startsWith('/api/v1/')) return file(path, response)
    const words = path.slice('/api/v1/'.length).split('/').map(decodeURIComponent)
    const key = `${request.method} ${words[0]}`
    state.requests.push(`${request.method} ${path.slice('/api/v1/'.length)}${url.search}`)
    if (state.away.has(words[0])) throw new Refusal(503, 'bundle-away', 'The bundle is being updated, or has been stopped.', { bundle: 'io.felice.coordinator', remedy: 'Wait, or start the bundle.' })
    if (request.method !== 'GET' && !request.headers['x-felice-console']) throw new Refusal(403, 'header-missing', 'The header X-Felice-Console is missing.')
    if (!state.loggedIn && !['session', 'setup'].includes(words[0])) throw new Refusal(401, 'unauthenticated', 'Nobody is logged in.')
    const handler = HANDLERS[key]
    if (!handler) throw new Refusal(404, 'not-found', `There is no ${key}.`)
    const raw = await body(request)
    const query = Object.fromEntries(url.searchParams)
    const json = request.headers['content-type'] === 'application/json' && raw.length ? JSON.parse(raw) : {}
    const result = await handler({ state, words, query, json, raw, request, response, dry: query.dryRun === 'true' })
    if (result === STREAM) return
    if (result === undefined) response.writeHead(204).end()
    else {
        response.setHeader('Content-Type', 'application/json')
        response.end(JSON.stringify(result))
    }
}

function file(path, response) {
    const found = join(PAGES, path === '/' ? 'index.html' : path)
    if (!found.startsWith(PAGES) || !existsSync(found)) throw new Refusal(404, 'not-found', 'There is no such file.')
    response.setHeader('Content-Type', TYPES[found.split('.').pop()] ?? 'application/octet-stream')
    response.end(readFileSync(found))
}

function body(request) {
    return new Promise((done) => {
        const parts = []
        request.on('data', (part) => parts.push(part))
        request.on('end', () => done(Buffer.concat(parts)))
    })
}

const STREAM = Symbol('stream')

function stream({ state, response }) {
    response.writeHead(200, { 'Content-Type': 'text/event-stream;charset=utf-8', 'Cache-Control': 'no-store' })
    response.write(': hello\n\n')
    state.streams.add(response)
    response.on('close', () => state.streams.delete(response))
    return STREAM
}

const send = (response, event, data) => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)

function tick(state) {
    const time = Math.floor(Date.now() / 1000)
    const values = Object.fromEntries(METRICS.map((name) => [name, value(name, time)]))
    for (const each of state.streams) {
        if (each.tail) send(each, 'records', [each.tail()])
        else send(each, 'metrics', { time, ...values })
    }
}

const METRICS = ['bytesIn', 'bytesOut', 'requests', 'failedRequests', 'connections', 'lag', 'heapUsed', 'cpu']
const SIZES = { bytesIn: 1_900_000, bytesOut: 5_200_000, requests: 2200, failedRequests: 3, connections: 225, lag: 40_000, heapUsed: 311e6, cpu: 0.21 }

function value(name, time) {
    const wave = 1 + 0.22 * Math.sin(time / 210 + name.length) + 0.1 * Math.sin(time / 17 + name.length * 2) + 0.05 * Math.sin(time * 1.7)
    return Math.max(0, SIZES[name] * wave)
}

function past(names, minutes, from = value) {
    const end = Math.floor(Date.now() / 10_000) * 10
    const times = Array.from({ length: minutes * 6 }, (_, i) => end - (minutes * 6 - 1 - i) * 10)
    return { names, stepSeconds: 10, times, series: Object.fromEntries(names.map((name) => [name, times.map((time) => from(name, time))])) }
}

function page(items, { q, sort, offset = 0, limit = 200 }) {
    let list = q ? items.filter((each) => each.name.toLowerCase().includes(q.toLowerCase())) : [...items]
    if (sort) {
        const down = sort.startsWith('-')
        const key = down ? sort.slice(1) : sort
        list.sort((a, b) => (down ? -1 : 1) * (typeof a[key] === 'number' ? a[key] - b[key] : String(a[key] ?? '').localeCompare(String(b[key] ?? ''))))
    }
    return { items: list.slice(Number(offset), Number(offset) + Number(limit)), total: list.length, offset: Number(offset) }
}

const session = (state) => ({
    user: state.user ?? 'admin', role: state.role, rights: state.rights, expiresAt: new Date(Date.now() + 3_600_000).toISOString(), endsAt: new Date(Date.now() + 36_000_000).toISOString(),
    node: 1, version: '1.0.0', cluster: { id: 'felice-Zm9v', name: state.kind === 'empty' ? undefined : 'shop-production' }, enforced: state.kind !== 'empty',
})

function needs(state, role) {
    const rank = { viewer: 0, operator: 1, admin: 2 }
    if (rank[state.role] < rank[role]) throw new Refusal(403, 'forbidden', `This needs the role ${role}.`, { needs: role })
}

function find(list, name, what) {
    const found = list.find((each) => (each.pid ?? each.name ?? String(each.id)) === name)
    if (!found) throw new Refusal(404, 'not-found', `There is no ${what} ${name}.`)
    return found
}

const public_ = ({ groupList, id, ...item }) => item
const done = (sentence, dryRun) => ({ sentence, dryRun })

function recordsOf(state, topic, query) {
    const all = state.records.get(topic.name) ?? []
    const wanted = query.partition?.split(',').map(Number)
    const hit = (text, pattern) => (query.regex === 'true' ? new RegExp(pattern).test(text) : text.toLowerCase().includes(pattern.toLowerCase()))
    const matching = all.filter((each) => {
        if (wanted && !wanted.includes(each.partition)) return false
        if (query.from === 'offset' && each.offset < Number(query.offset ?? 0)) return false
        if (query.from === 'time' && Date.parse(each.timestamp) < Number(query.time)) return false
        const headers = (each.headers ?? []).map((header) => `${header.name} ${header.value?.text ?? ''}`).join(' ')
        const sides = { key: each.key?.text ?? '', value: each.value?.text ?? '', header: headers }
        if (query.q && !hit(Object.values(sides).join('\n'), query.q)) return false
        return ['key', 'value', 'header'].every((side) => !query[side] || hit(sides[side], query[side]))
    })
    if ((query.from ?? 'newest') === 'newest') matching.reverse()
    const start = Number(query.cursor ?? 0)
    const limit = Number(query.limit ?? 100)
    const searching = query.q || query.key || query.value || query.header
    // A search goes in steps, as it does in a large topic.
    const step = searching && start + limit < matching.length ? Math.min(limit, 40) : limit
    const part = matching.slice(start, start + step)
    const next = start + part.length
    const hidden = !state.rights.includes('records.read')
    return {
        records: hidden ? part.map(({ key, value, headers, ...rest }) => ({ ...rest, hidden: true })) : part,
        scanned: part.length * (searching ? 300 : 1), of: topic.records ?? all.length,
        end: next >= matching.length ? 'end' : step < limit ? 'budget' : 'limit', ...(next < matching.length ? { cursor: String(next) } : {}),
    }
}

const HANDLERS = {
    'GET setup': ({ state }) => ({ needed: state.setup, where: 'The node has printed the code when it started.' }),
    'POST setup': ({ state, json }) => {
        if (json.code !== 'K7Q2-M4RD') throw new Refusal(401, 'login-failed', 'The code is wrong, or it is over.', { remedy: 'A new one is made with felice:user-setup.' })
        Object.assign(state, { setup: false, loggedIn: true, user: json.name })
        return session(state)
    },
    'GET session': ({ state }) => {
        if (!state.loggedIn) throw new Refusal(401, 'unauthenticated', 'Nobody is logged in.')
        return session(state)
    },
    'POST session': ({ state, json }) => {
        if (json.password !== 'secret-1234') throw new Refusal(401, 'login-failed', 'The name or the password is wrong.')
        Object.assign(state, { loggedIn: true, user: json.name })
        return session(state)
    },
    'DELETE session': ({ state }) => void (state.loggedIn = false),
    'GET overview': ({ state }) => ({ ...state.overview, empty: state.topics.every((each) => each.internal), topics: state.topics.filter((each) => !each.internal).length }),
    'GET metrics': ({ query }) => past((query.names ?? METRICS.join()).split(','), Number(query.minutes ?? 60)),
    'GET events': stream,
    'GET topics': (call) => {
        const { state, words, query } = call
        if (words.length === 1) return page(state.topics.filter((each) => (query.internal === 'true' || !each.internal) && (query.problems !== 'true' || each.underReplicated + each.offline > 0)).map(public_), query)
        const topic = find(state.topics, words[1], 'topic')
        switch (words.slice(2).join('/')) {
            case '':
                return topic
            case 'affects':
                return { groups: topic.groupList, acls: state.acls.filter((each) => each.resource.name === topic.name).length, partitions: topic.partitions, bytes: topic.bytes, records: topic.records }
            case 'partitions':
                return page(Array.from({ length: topic.partitions }, (_, id) => {
                    const dead = topic.offline > id && id === 0
                    const behind = topic.underReplicated > 0 || dead
                    return { id, epoch: 4, replicas: [1, 2, 3], inSync: dead ? [] : behind ? [1, 2] : [1, 2, 3], ...(dead ? { problem: 'All replicas that are in sync are absent.' } : { leader: (id % 2) + 1 }), start: 1200, end: Math.floor((topic.records ?? 0) / topic.partitions) + 1200, bytes: Math.floor((topic.bytes ?? 0) / topic.partitions) }
                }), query)
            case 'configs':
                call.response.setHeader('ETag', '"1"')
                return { items: (topic.configs ??= topicConfigs()) }
            case 'records':
                return recordsOf(state, topic, query)
            case 'records/tail': {
                stream(call)
                let next = 9100
                call.response.tail = () => written(0, next++, { key: { text: 'live' }, value: { text: `{"live":${next}}` } })
                return STREAM
            }
            default:
                throw new Refusal(404, 'not-found', 'There is nothing here.')
        }
    },
    'POST topics': ({ state, words, json, dry }) => {
        if (words.length === 1) {
            needs(state, 'operator')
            if (state.topics.some((each) => each.name === json.name)) throw new Refusal(409, 'topic-already-exists', `There is a topic ${json.name} already.`, { remedy: 'Choose another name.' })
            const topic = { name: json.name, id: 'bmV3dG9waWM', internal: false, partitions: json.partitions ?? 1, replicas: json.replicas ?? 1, underReplicated: 0, offline: 0, cleanup: json.configs?.['cleanup.policy'] ?? 'delete', engine: 'log', bytes: 0, records: 0, retentionMs: 604_800_000, groups: 0, groupList: [] }
            if (!dry) state.topics.push(topic)
            return { name: topic.name, id: topic.id, partitions: topic.partitions, replicas: topic.replicas, dryRun: dry }
        }
        const topic = find(state.topics, words[1], 'topic')
        switch (words[2]) {
            case 'records': {
                const list = state.records.get(topic.name) ?? []
                state.records.set(topic.name, list)
                return { records: json.records.map((each) => {
                    const partition = each.partition ?? 0
                    const offset = list.filter((one) => one.partition === partition).reduce((most, one) => Math.max(most, one.offset + 1), 0)
                    list.push(written(partition, offset, each))
                    return { partition, offset }
                }) }
            }
            case 'partitions':
                topic.partitions = json.count
                return done(`${topic.name} has ${json.count} partitions.`, dry)
            case 'purge':
                state.records.set(topic.name, [])
                return { dryRun: dry, partitions: [] }
            case 'move': {
                const work = { id: 'op-9', kind: 'topic-move', title: `Move ${topic.name} to ${json.engine}`, state: 'running', startedAt: new Date().toISOString(), by: 'admin', sentence: 'copies', cancellable: true, percent: 1, subject: `topic/${topic.name}` }
                state.operations.unshift(work)
                return work
            }
            default:
                throw new Refusal(404, 'not-found', 'There is nothing here.')
        }
    },
    'PATCH topics': ({ state, words, json, dry }) => {
        needs(state, 'operator')
        const topic = find(state.topics, words[1], 'topic')
        return patch(topic.configs ??= topicConfigs(), json, dry, 'name')
    },
    'DELETE topics': ({ state, words, dry }) => {
        needs(state, 'operator')
        const topic = find(state.topics, words[1], 'topic')
        if (!dry) state.topics.splice(state.topics.indexOf(topic), 1)
        return done(`${topic.name} was deleted.`, dry)
    },
    'GET topic-defaults': ({ state }) => ({ partitions: state.kind === 'empty' ? 1 : 6, replicas: state.kind === 'empty' ? 1 : 3, engines: state.kind === 'empty' ? ['log', 'memory'] : ['log', 'mvstore', 'memory'], configs: topicConfigs() }),
    'GET groups': ({ state, words, query }) => {
        if (words.length === 1) return page(state.groups.filter((each) => !query.state || each.state === query.state).map(({ memberList, partitions, assignor, ...item }) => item), query)
        const group = find(state.groups, words[1], 'group')
        if (words[2] === 'history') return past(['lag', 'lagSeconds'], 60, (name, time) => Math.max(0, group.lag * (1 + 0.3 * Math.sin(time / 300)) * (name === 'lag' ? 1 : 0.01)))
        return group
    },
    'POST groups': ({ state, words, json, dry }) => {
        const group = find(state.groups, words[1], 'group')
        const active = group.memberList.length > 0
        const rows = group.partitions.filter((each) => !json.topics || json.topics.some((one) => one.topic === each.topic)).map((each) => {
            const after = json.to === 'earliest' ? 0 : json.to === 'latest' ? each.end : json.to === 'shift' ? Math.max(0, each.committed + json.value) : (json.value ?? 0)
            return { topic: each.topic, partition: each.partition, before: each.committed, after, ...(after < each.committed ? { replayed: each.committed - after } : { skipped: after - each.committed }) }
        })
        if (!dry && !active) for (const row of rows) Object.assign(group.partitions.find((each) => each.topic === row.topic && each.partition === row.partition), { committed: row.after })
        return { dryRun: dry, active, rows }
    },
    'DELETE groups': ({ state, words, dry }) => {
        const group = find(state.groups, words[1], 'group')
        if (!dry) state.groups.splice(state.groups.indexOf(group), 1)
        return done(`${group.name} was deleted.`, dry)
    },
    'GET brokers': ({ state, words, response }) => {
        if (words.length === 1) return page(state.brokers, {})
        if (words[2] === 'configs') {
            response.setHeader('ETag', '"1"')
            return { items: brokerConfigs() }
        }
        return find(state.brokers.map((each) => ({ ...each, name: undefined })), words[1], 'broker')
    },
    'PUT brokers': ({ state, words, json }) => {
        const broker = state.brokers.find((each) => String(each.id) === words[1])
        broker.drained = json.drained
        return done(json.drained ? 'The broker gives its replicas away.' : 'The broker gets replicas again.', false)
    },
    'GET cluster-configs': () => ({ items: brokerConfigs() }),
    'GET users': ({ state, query }) => (needs(state, 'admin'), page(state.users, query)),
    'POST users': ({ state, json }) => {
        const user = { name: json.name, mechanisms: ['SCRAM-SHA-256', 'SCRAM-SHA-512'], role: json.role, acls: 0 }
        state.users.push(user)
        return user
    },
    'PUT users': ({ state, words, json }) => {
        const user = find(state.users, words[1], 'user')
        if (words[2] === 'role') user.role = json.role ?? undefined
        return user
    },
    'DELETE users': ({ state, words }) => {
        state.users.splice(state.users.indexOf(find(state.users, words[1], 'user')), 1)
        return done(`${words[1]} was deleted.`, false)
    },
    'GET acls': ({ state, query }) => (needs(state, 'admin'), page(state.acls.filter((each) => (!query.principal || each.principal.includes(query.principal)) && (!query.name || each.resource.name.includes(query.name)) && (!query.type || each.resource.type === query.type)), { offset: query.offset, limit: query.limit })),
    'POST acls': ({ state, words, json }) => {
        const rule = (operation, type, name, pattern = 'literal') => ({ principal: json.principal, host: '*', operation, permission: 'allow', resource: { type, name, pattern } })
        if (words[1] === 'wizard') {
            const side = json.kind === 'consumer' ? 'read' : 'write'
            return { acls: [rule(side, 'topic', json.topic, json.pattern), rule('describe', 'topic', json.topic, json.pattern), ...(json.group ? [rule('read', 'group', json.group)] : []), ...(json.transactionalId ? [rule('write', 'transactional_id', json.transactionalId)] : [])] }
        }
        if (words[1] === 'delete') state.acls = state.acls.filter((each) => !json.acls.some((one) => JSON.stringify(one) === JSON.stringify(each)))
        else state.acls.push(...json.acls)
        return { acls: json.acls }
    },
    'GET quotas': ({ state }) => page(state.quotas, {}),
    'PATCH quotas': ({ state, json }) => {
        const known = state.quotas.find((each) => each.user === json.user && each.client === json.client)
        if (known) Object.assign(known, json)
        else state.quotas.push(json)
        return json
    },
    'GET explain': ({ state, query }) => {
        const rules = state.acls.filter((each) => each.principal === query.principal && each.resource.name === query.name)
        const allowed = rules.some((each) => each.permission === 'allow' && each.operation === query.operation)
        return { allowed, sentence: allowed ? `${query.principal} may ${query.operation} ${query.name} by the rule below.` : `No rule allows ${query.principal} to ${query.operation} ${query.name}.`, rules }
    },
    'GET plugins': ({ state }) => page(state.plugins, {}),
    'POST plugins': ({ state, words, request }) => {
        needs(state, 'admin')
        if (words[1] === 'check') {
            const name = request.headers['x-file-name']
            const bad = name.includes('bad')
            return { name: bad ? '' : 'acme-auth', version: bad ? '' : '1.3.0', fits: !bad, provides: bad ? [] : [{ kind: 'authenticator', name: 'ACME' }], configurations: bad ? [] : ['com.acme.auth: url'], signer: '', token: 'tok', fileName: name, ...(bad ? {} : { installed: '1.2.0' }), findings: bad ? [{ refuses: true, sentence: 'It needs the package com.example.missing [2.0,3), which no bundle of this node exports. Put it into the jar.', raw: 'osgi.wiring.package; (&(osgi.wiring.package=com.example.missing)(version>=2.0.0))' }] : [{ refuses: false, sentence: 'Nobody has signed it.' }] }
        }
        const name = words[1] ?? 'acme-auth'
        const plugin = state.plugins.find((each) => each.name === name)
        const work = { id: `op-${state.operations.length + 10}`, kind: `plugin-${words[2] ?? 'install'}`, title: `${words[2] ?? 'install'} ${name}`, state: 'done', startedAt: new Date().toISOString(), endedAt: new Date().toISOString(), by: 'admin', sentence: 'done', cancellable: false, subject: name }
        if (plugin && words[2] === 'disable') Object.assign(plugin, { state: 'disabled', sentence: 'does not run, because somebody disabled it' })
        if (plugin && words[2] === 'enable') Object.assign(plugin, { state: 'runs', sentence: 'runs' })
        if (plugin && words[2] === 'upgrade') Object.assign(plugin, { version: '1.3.0', kept: [plugin.version, ...plugin.kept] })
        state.operations.unshift(work)
        return work
    },
    'DELETE plugins': ({ state, words }) => {
        state.plugins.splice(state.plugins.indexOf(find(state.plugins, words[1], 'plugin')), 1)
        return { id: 'op-99', kind: 'plugin-remove', title: `remove ${words[1]}`, state: 'done', startedAt: new Date().toISOString(), by: 'admin', sentence: 'done', cancellable: false, subject: words[1] }
    },
    'GET configuration': ({ state, words, query, response }) => {
        needs(state, 'admin')
        if (words.length === 1) {
            const q = (query.q ?? '').toLowerCase()
            const fits = (each) => !q || [each.pid, each.name, each.help, ...each.settings.flatMap((one) => [one.key, one.help])].some((text) => text.toLowerCase().includes(q))
            return page(state.components.filter(fits).map(({ history, settings, ...item }) => ({ ...item, settings: settings.length, changed: settings.filter((each) => each.set).length })), {})
        }
        const component = find(state.components, words[1], 'component')
        if (words[2] === 'history') return page(component.history, {})
        response.setHeader('ETag', '"1"')
        const { history, ...rest } = component
        return rest
    },
    'PATCH configuration': ({ state, words, json, dry }) => {
        const component = state.components.find((each) => each.pid === words[1])
        const change = patch(component.settings, json, dry, 'key')
        if (!dry) component.history.unshift({ version: component.history.length + 8, at: new Date().toISOString(), author: 'admin', changed: change.changed })
        return change
    },
    'POST configuration': ({ state, words, json, dry }) => {
        const component = state.components.find((each) => each.pid === words[1])
        const version = component.history.find((each) => each.version === json.version)
        return patch(component.settings, { set: Object.fromEntries(version.changed.map((each) => [each.key, each.before])) }, dry, 'key')
    },
    'GET operations': ({ state }) => page(state.operations, {}),
    'DELETE operations': ({ state, words }) => Object.assign(state.operations.find((each) => each.id === words[1]), { state: 'cancelled', sentence: 'cancelled', endedAt: new Date().toISOString() }),
}

function patch(entries, { set = {}, unset = [] }, dryRun, name) {
    const errors = []
    const changed = []
    for (const [key, value] of [...Object.entries(set), ...unset.map((each) => [each, undefined])]) {
        const entry = entries.find((each) => each[name] === key)
        const wanted = value ?? entry.default
        if (entry.min !== undefined && Number(wanted) < Number(entry.min)) errors.push({ key, sentence: `${wanted} is below ${entry.min}, the least.` })
        if (entry.max !== undefined && Number(wanted) > Number(entry.max)) errors.push({ key, sentence: `${wanted} is above ${entry.max}, the most.` })
        if (wanted !== entry.value) changed.push({ key, before: entry.value, after: wanted, restart: entry.restart ?? false })
        if (!dryRun && errors.length === 0) Object.assign(entry, { value: wanted, set: value !== undefined, ...(entry.source ? { source: value === undefined ? 'default' : 'topic' } : {}) })
    }
    if (errors.length > 0) throw new Refusal(422, 'invalid', 'Nothing was changed, because a value is not legal.', { errors })
    return { changed, dryRun }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const { url } = await mock({ kind: process.argv[2] ?? 'healthy', port: Number(process.argv[3] ?? 8191), loggedIn: process.argv[2] !== 'empty' })
    console.log(url)
}
