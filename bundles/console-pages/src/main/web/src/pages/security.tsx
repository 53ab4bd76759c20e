import { useState } from 'preact/hooks'
import { Plus, WandSparkles } from 'lucide-preact'
import { change, part } from '../api'
import type { Acl, Acls, AclWizard, Explanation, Quota, QuotaPage, QuotaPatch, User } from '../contract'
import { poke, useLive, usePaged } from '../live'
import { bytes, count, typed } from '../format'
import { refine, route, to } from '../route'
import { session } from '../api'
import { overviewNow } from '../events'
import { t } from '../texts'
import { Badge, Button, Cards, Choice, Code, Copy, Empty, lacks, Note, Page, ProblemNote, Search, Select, Stale, Tabs, Text, Trouble, Waiting } from '../parts/base'
import { Confirm, Dialog, say, useWork } from '../parts/dialog'
import { List, orderNow, Table } from '../parts/table'

export function SecurityPage() {
    const tab = route.value.path[1] ?? 'users'
    const denied = lacks('admin')
    return (
        <Page fill title={t.nav.security} name={t.nav.security}>
            <Tabs label={t.nav.security} tabs={(['users', 'rights', 'quotas', 'explain'] as const).map((each) => ({ href: to(each === 'users' ? ['security'] : ['security', each]), words: t.users.tabs[each], current: tab === each }))} />
            {denied ? (
                <section class="panel">
                    <Empty title={t.users.adminsOnly}>
                        <p class="soft">{denied}</p>
                    </Empty>
                </section>
            ) : tab === 'rights' ? (
                <Rights />
            ) : tab === 'quotas' ? (
                <Quotas />
            ) : tab === 'explain' ? (
                <Explain />
            ) : (
                <Users />
            )}
        </Page>
    )
}

// ---- users -------------------------------------------------------------------------------------------------------------

type UserAsks = { what: 'new' } | { what: 'password' | 'role' | 'delete'; user: User }

function Users() {
    const q = route.value.query.get('q') ?? ''
    const sort = orderNow('name')
    const users = usePaged<User>('users', { q, sort }, { kind: 'users', every: 15_000 })
    const [asks, setAsks] = useState<UserAsks>()
    const close = () => setAsks(undefined)
    return (
        <>
            <div class="row">
                <Search label={t.users.search} />
                <span class="grow" />
                <Button kind="main" icon={<Plus class="icon" />} onClick={() => setAsks({ what: 'new' })}>
                    {t.users.create}
                </Button>
            </div>
            <Trouble of={users} />
            <Stale of={users} class="panel stretch">
                {users.total === undefined && !users.problem && <Waiting />}
                {users.total === 0 && <Empty title={q ? t.nothingFits : t.users.none} />}
                {users.total !== undefined && users.total > 0 && (
                    <List
                        label={t.users.tabs.users}
                        rows={users}
                        id={(user) => user.name}
                        sort={sort}
                        columns={[
                            { key: 'name', title: t.name, sort: 'name', class: 'name cut', render: (user) => user.name },
                            { key: 'role', title: t.role, render: (user) => (user.role ? <Badge tone="plain">{t.roles[user.role]}</Badge> : <span class="soft">{t.users.noRole}</span>) },
                            { key: 'mechanisms', title: t.users.mechanisms, wide: true, render: (user) => user.mechanisms.join(', ') },
                            { key: 'acls', title: t.users.tabs.rights, number: true, render: (user) => <a href={to(['security', 'rights'], { principal: `User:${user.name}` })}>{count(user.acls)}</a> },
                            {
                                key: 'do',
                                title: '',
                                number: true,
                                render: (user) => (
                                    <span class="row tight end one-line">
                                        <Button small label={t.users.passwordOf(user.name)} onClick={() => setAsks({ what: 'password', user })}>
                                            {t.users.password}
                                        </Button>
                                        <Button small label={t.users.roleOf(user.name)} onClick={() => setAsks({ what: 'role', user })}>
                                            {t.role}
                                        </Button>
                                        <Button small kind="danger" label={t.users.deleteOf(user.name)} denied={user.name === session.value?.user ? t.users.notYourself : undefined} onClick={() => setAsks({ what: 'delete', user })}>
                                            {t.delete}
                                        </Button>
                                    </span>
                                ),
                            },
                        ]}
                    />
                )}
            </Stale>
            {asks?.what === 'new' && <NewUser close={close} />}
            {asks?.what === 'password' && <NewPassword user={asks.user} close={close} />}
            {asks?.what === 'role' && <NewRole user={asks.user} close={close} />}
            {asks?.what === 'delete' && (
                <Confirm
                    title={t.users.deleteTitle(asks.user.name)}
                    act={t.delete}
                    danger
                    retype={asks.user.name}
                    close={close}
                    run={async () => {
                        const { sentence } = await change<{ sentence: string }>('DELETE', `users/${part(asks.user.name)}`)
                        poke('users').value++
                        say(sentence)
                    }}
                >
                    <p>{t.users.deleteMore(asks.user.acls ?? 0)}</p>
                </Confirm>
            )}
        </>
    )
}

const LETTERS = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'

function generated(): string {
    const random = crypto.getRandomValues(new Uint32Array(20))
    return Array.from(random, (number) => LETTERS[number % LETTERS.length]).join('')
}

function Password({ value, set }: { value: string; set: (value: string) => void }) {
    return (
        <div class="stack tight">
            <Text label={t.door.newPassword} value={value} onInput={set} mono autocomplete="new-password" help={t.users.passwordHelp} />
            <div class="row tight">
                <Button small onClick={() => set(generated())}>
                    {t.users.generate}
                </Button>
                {value && <Copy text={value} />}
            </div>
        </div>
    )
}

const ROLES = () => [['', t.users.noRole, t.users.noRoleMore] as const, ...(['viewer', 'operator', 'admin'] as const).map((role) => [role, t.roles[role], t.users.roleHelp[role]] as const)]

function NewUser({ close }: { close: () => void }) {
    const [name, setName] = useState('')
    const [password, setPassword] = useState(generated())
    const [role, setRole] = useState('')
    const [made, setMade] = useState(false)
    const missing = !name.trim() ? t.door.nameMissing : !password ? t.users.passwordMissing : undefined
    const work = useWork(async () => {
        await change('POST', 'users', { name: name.trim(), password, role: role || undefined })
        poke('users').value++
        setMade(true)
    })
    if (made) return <Made name={name.trim()} password={password} close={close} />
    return (
        <Dialog
            title={t.users.create}
            close={close}
            submit={() => !missing && work.start()}
            footer={
                <>
                    <Button onClick={close}>{t.cancel}</Button>
                    <Button type="submit" kind="main" busy={work.busy} denied={missing}>
                        {t.users.create}
                    </Button>
                </>
            }
        >
            <Text label={t.name} value={name} onInput={setName} autoFocus />
            <Password value={password} set={setPassword} />
            <div class="field">
                <span class="label">{t.users.roleInConsole}</span>
                <Cards label={t.users.roleInConsole} value={role} onInput={setRole} options={ROLES()} />
            </div>
            {work.problem && <ProblemNote problem={work.problem} />}
        </Dialog>
    )
}

/** The one moment at which the password is shown, with what a client needs. */
function Made({ name, password, close }: { name: string; password: string; close: () => void }) {
    const listener = overviewNow.value?.bootstrap.find((each) => each.security.startsWith('SASL')) ?? overviewNow.value?.bootstrap[0]
    return (
        <Dialog title={t.users.made(name)} close={close} footer={<Button kind="main" onClick={close}>{t.done}</Button>}>
            <Note tone="good">{t.users.passwordOnce}</Note>
            <Code text={password} />
            <h3>{t.topic.properties}</h3>
            <Code
                text={[
                    `bootstrap.servers=${listener?.address ?? ''}`,
                    `security.protocol=${listener?.security.startsWith('SASL') ? listener.security : 'SASL_PLAINTEXT'}`,
                    'sasl.mechanism=SCRAM-SHA-512',
                    `sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="${name}" password="${password}";`,
                ].join('\n')}
            />
            <p>
                {t.users.thenRights} <a href={to(['security', 'rights'], { wizard: 1, principal: `User:${name}` })}>{t.users.wizard}</a>
            </p>
        </Dialog>
    )
}

function NewPassword({ user, close }: { user: User; close: () => void }) {
    const [password, setPassword] = useState(generated())
    const [done, setDone] = useState(false)
    const work = useWork(async () => {
        await change('PUT', `users/${part(user.name)}/password`, { password })
        setDone(true)
    })
    if (done) return <Made name={user.name} password={password} close={close} />
    return (
        <Dialog
            title={t.users.passwordOf(user.name)}
            close={close}
            submit={() => password && work.start()}
            footer={
                <>
                    <Button onClick={close}>{t.cancel}</Button>
                    <Button type="submit" kind="main" busy={work.busy} denied={password ? undefined : t.users.passwordMissing}>
                        {t.users.setPassword}
                    </Button>
                </>
            }
        >
            <Note tone="warn">{t.users.oldPassword}</Note>
            <Password value={password} set={setPassword} />
            {work.problem && <ProblemNote problem={work.problem} />}
        </Dialog>
    )
}

function NewRole({ user, close }: { user: User; close: () => void }) {
    const [role, setRole] = useState(user.role ?? '')
    return (
        <Confirm
            title={t.users.roleOf(user.name)}
            act={t.configs.save}
            close={close}
            run={async () => {
                await change('PUT', `users/${part(user.name)}/role`, { role: role || null })
                poke('users').value++
                say(t.configs.saved)
            }}
        >
            <p class="soft">{t.users.roleIsAcls}</p>
            <Cards label={t.users.roleInConsole} value={role} onInput={(each) => setRole(each as typeof role)} options={ROLES()} />
        </Confirm>
    )
}

// ---- rights ------------------------------------------------------------------------------------------------------------

const keyOf = (acl: Acl) => [acl.principal, acl.host, acl.operation, acl.permission, acl.resource.type, acl.resource.name, acl.resource.pattern].join('|')

function Rights() {
    const query = route.value.query
    const principal = query.get('principal') ?? ''
    const name = query.get('name') ?? ''
    const type = query.get('type') ?? ''
    const acls = usePaged<Acl>('acls', { principal, name, type }, { kind: 'users', every: 15_000 })
    const [asks, setAsks] = useState<'new' | Acl>()
    const wizard = Boolean(query.get('wizard'))
    const close = () => setAsks(undefined)
    return (
        <>
            <div class="row">
                <Search name="principal" label={t.acls.searchPrincipal} />
                <Search name="name" label={t.acls.searchName} />
                <select class="input fit" aria-label={t.acls.type} value={type} onInput={(event) => refine({ type: event.currentTarget.value })}>
                    <option value="">{t.acls.anyType}</option>
                    {Object.entries(t.acls.types).map(([key, words]) => (
                        <option key={key} value={key}>
                            {words}
                        </option>
                    ))}
                </select>
                <span class="grow" />
                <Button onClick={() => setAsks('new')}>{t.acls.one}</Button>
                <Button kind="main" icon={<WandSparkles class="icon" />} onClick={() => refine({ wizard: 1 }, true)}>
                    {t.users.wizard}
                </Button>
            </div>
            {session.value?.enforced === false && <Note tone="warn">{t.acls.notEnforced}</Note>}
            <Trouble of={acls} />
            <Stale of={acls} class="panel stretch">
                {acls.total === undefined && !acls.problem && <Waiting />}
                {acls.total === 0 && (
                    <Empty title={principal || name || type ? t.nothingFits : t.acls.none}>
                        <p class="soft">{t.acls.noneMore}</p>
                    </Empty>
                )}
                {acls.total !== undefined && acls.total > 0 && (
                    <List label={t.users.tabs.rights} rows={acls} id={keyOf} columns={aclColumns((acl) => setAsks(acl))} />
                )}
            </Stale>
            {wizard && <Wizard principal={principal} close={() => refine({ wizard: '' })} />}
            {asks === 'new' && <NewAcl close={close} />}
            {typeof asks === 'object' && (
                <Confirm
                    title={t.acls.deleteTitle}
                    act={t.acls.delete}
                    danger
                    close={close}
                    broad
                    run={async () => {
                        await change('POST', 'acls/delete', { acls: [asks] })
                        poke('users').value++
                        say(t.acls.deleted)
                    }}
                >
                    <AclTable acls={[asks]} />
                </Confirm>
            )}
        </>
    )
}

const aclColumns = (remove?: (acl: Acl) => void) => [
    { key: 'permission', title: t.acls.permission, render: (acl: Acl) => <Badge tone={acl.permission === 'deny' ? 'bad' : 'good'}>{t.acls.permissions[acl.permission]}</Badge> },
    { key: 'principal', title: t.acls.principal, class: 'name cut', render: (acl: Acl) => acl.principal },
    { key: 'operation', title: t.acls.operation, render: (acl: Acl) => t.acls.operations[acl.operation] },
    { key: 'resource', title: t.acls.resource, class: 'name cut', render: (acl: Acl) => <>{t.acls.types[acl.resource.type]} <code>{acl.resource.name}{acl.resource.pattern === 'prefixed' ? '*' : ''}</code></> },
    { key: 'host', title: t.acls.host, wide: true, render: (acl: Acl) => (acl.host === '*' ? <span class="soft">{t.acls.anyHost}</span> : acl.host) },
    ...(remove
        ? [
              {
                  key: 'delete',
                  title: '',
                  number: true,
                  render: (acl: Acl) => (
                      <Button small kind="danger" label={t.acls.deleteOf(acl.principal, acl.resource.name)} onClick={() => remove(acl)}>
                          {t.delete}
                      </Button>
                  ),
              },
          ]
        : []),
]

const AclTable = ({ acls }: { acls: Acl[] }) => (
    <div class="preview">
        <Table label={t.users.tabs.rights} class="plain-rows" items={acls} id={keyOf} columns={aclColumns()} />
    </div>
)

const badPrincipal = (text: string) => (text && !/^[A-Za-z]+:.+$/.test(text) ? t.acls.badPrincipal : undefined)

function Wizard({ principal: given, close }: { principal: string; close: () => void }) {
    const [kind, setKind] = useState<AclWizard['kind']>('producer')
    const [principal, setPrincipal] = useState(given || 'User:')
    const [topic, setTopic] = useState('')
    const [pattern, setPattern] = useState<'literal' | 'prefixed'>('literal')
    const [group, setGroup] = useState('')
    const [transactionalId, setTransactionalId] = useState('')
    const [preview, setPreview] = useState<Acls>()
    const bad = badPrincipal(principal) ?? (principal === 'User:' || !principal ? t.acls.principalMissing : !topic ? t.acls.topicMissing : kind === 'consumer' && !group ? t.acls.groupMissing : kind === 'transactional' && !transactionalId ? t.acls.idMissing : undefined)
    const look = useWork(async () => setPreview(await change<Acls>('POST', 'acls/wizard', { kind, principal, topic, pattern, group: kind === 'consumer' ? group : undefined, transactionalId: kind === 'transactional' ? transactionalId : undefined } satisfies AclWizard)))
    const add = useWork(async () => {
        await change('POST', 'acls', { acls: preview!.acls })
        poke('users').value++
        say(t.acls.added(preview!.acls.length))
    }, close)
    const again = <T,>(set: (value: T) => void) => (value: T) => {
        setPreview(undefined)
        set(value)
    }
    return (
        <Dialog
            title={t.users.wizard}
            close={close}
            broad
            submit={() => (preview ? add.start() : !bad && look.start())}
            footer={
                <>
                    <Button onClick={close}>{t.cancel}</Button>
                    {preview ? (
                        <Button type="submit" kind="main" busy={add.busy}>
                            {t.acls.add(preview.acls.length)}
                        </Button>
                    ) : (
                        <Button type="submit" kind="main" busy={look.busy} denied={bad}>
                            {t.acls.show}
                        </Button>
                    )}
                </>
            }
        >
            <Cards label={t.acls.what} value={kind} onInput={(each) => again(setKind)(each as AclWizard['kind'])} options={(['producer', 'consumer', 'transactional'] as const).map((each) => [each, t.acls.kinds[each], t.acls.kindHelp[each]] as const)} />
            <div class="fields">
                <Text label={t.acls.principal} value={principal} onInput={again(setPrincipal)} wrong={badPrincipal(principal)} help={t.acls.principalHelp} mono />
                <Text label={t.topic.name} value={topic} onInput={again(setTopic)} mono placeholder={pattern === 'prefixed' ? 'orders-' : 'orders'} />
                {kind === 'consumer' && <Text label={t.group} value={group} onInput={again(setGroup)} mono />}
                {kind === 'transactional' && <Text label={t.acls.transactionalId} value={transactionalId} onInput={again(setTransactionalId)} mono />}
            </div>
            <Choice label={t.acls.pattern} value={pattern} options={[['literal', t.acls.literal], ['prefixed', t.acls.prefixed]]} onInput={(each) => again(setPattern)(each as 'literal' | 'prefixed')} />
            {preview && <AclTable acls={preview.acls} />}
            {(look.problem ?? add.problem) && <ProblemNote problem={(look.problem ?? add.problem)!} />}
        </Dialog>
    )
}

function NewAcl({ close }: { close: () => void }) {
    const [acl, setAcl] = useState<Acl>({ principal: 'User:', host: '*', operation: 'read', permission: 'allow', resource: { type: 'topic', name: '', pattern: 'literal' } })
    const bad = badPrincipal(acl.principal) ?? (acl.principal === 'User:' ? t.acls.principalMissing : !acl.resource.name ? t.acls.nameMissing : undefined)
    const work = useWork(async () => {
        await change('POST', 'acls', { acls: [acl] })
        poke('users').value++
        say(t.acls.added(1))
    }, close)
    const resource = (changes: Partial<Acl['resource']>) => setAcl({ ...acl, resource: { ...acl.resource, ...changes } })
    return (
        <Dialog
            title={t.acls.one}
            close={close}
            broad
            submit={() => !bad && work.start()}
            footer={
                <>
                    <Button onClick={close}>{t.cancel}</Button>
                    <Button type="submit" kind="main" busy={work.busy} denied={bad}>
                        {t.acls.add(1)}
                    </Button>
                </>
            }
        >
            <Choice label={t.acls.permission} value={acl.permission} options={[['allow', t.acls.permissions.allow], ['deny', t.acls.permissions.deny]]} onInput={(each) => setAcl({ ...acl, permission: each as Acl['permission'] })} />
            <div class="fields">
                <Text label={t.acls.principal} value={acl.principal} onInput={(principal) => setAcl({ ...acl, principal })} wrong={badPrincipal(acl.principal)} mono help={t.acls.principalHelp} />
                <Select label={t.acls.operation} value={acl.operation} onInput={(each) => setAcl({ ...acl, operation: each as Acl['operation'] })} options={Object.entries(t.acls.operations)} />
                <Text label={t.acls.host} value={acl.host} onInput={(host) => setAcl({ ...acl, host })} mono help={t.acls.hostHelp} />
            </div>
            <div class="fields">
                <Select label={t.acls.type} value={acl.resource.type} onInput={(each) => resource({ type: each as Acl['resource']['type'], name: each === 'cluster' ? 'kafka-cluster' : acl.resource.name })} options={Object.entries(t.acls.types)} />
                <Text label={t.acls.resourceName} value={acl.resource.name} onInput={(name) => resource({ name })} mono />
                <Select label={t.acls.pattern} value={acl.resource.pattern} onInput={(each) => resource({ pattern: each as 'literal' | 'prefixed' })} options={[['literal', t.acls.literal], ['prefixed', t.acls.prefixed]]} />
            </div>
            {work.problem && <ProblemNote problem={work.problem} />}
        </Dialog>
    )
}

// ---- quotas ------------------------------------------------------------------------------------------------------------

const LIMITS = ['produceBytesPerSecond', 'fetchBytesPerSecond', 'requestPercent', 'mutationsPerSecond', 'connectionsPerSecond'] as const
type Limit = (typeof LIMITS)[number]

const entityOf = (quota: Quota) => [quota.user !== undefined && `${t.quotas.user} ${named(quota.user)}`, quota.client !== undefined && `${t.quotas.client} ${named(quota.client)}`, quota.ip !== undefined && `${t.quotas.ip} ${named(quota.ip)}`].filter(Boolean).join(', ')
const named = (name: string) => (name === '<default>' ? t.quotas.everyOther : name)
const limitSaid = (limit: Limit, value?: number) => (value === undefined ? '–' : limit.endsWith('BytesPerSecond') ? `${bytes(value)}/s` : limit === 'requestPercent' ? `${value} %` : `${count(value)}/s`)

function Quotas() {
    const live = useLive<QuotaPage>('quotas', {}, { kind: 'users', every: 15_000 })
    const [asks, setAsks] = useState<Quota | 'new'>()
    return (
        <>
            <div class="row">
                <p class="soft grow">{t.quotas.about}</p>
                <Button kind="main" icon={<Plus class="icon" />} onClick={() => setAsks('new')}>
                    {t.quotas.create}
                </Button>
            </div>
            <Trouble of={live} />
            {!live.data && !live.problem && <Waiting />}
            {live.data && (
                <Stale of={live} class="panel stretch">
                    {live.data.items.length === 0 ? (
                        <Empty title={t.quotas.none}>
                            <p class="soft">{t.quotas.noneMore}</p>
                        </Empty>
                    ) : (
                        <Table
                            label={t.users.tabs.quotas}
                            items={live.data.items}
                            id={entityOf}
                            columns={[
                                { key: 'entity', title: t.quotas.entity, class: 'name cut', render: (quota: Quota) => entityOf(quota) },
                                ...LIMITS.map((limit) => ({ key: limit, title: t.quotas.limits[limit], number: true, wide: limit === 'mutationsPerSecond' || limit === 'connectionsPerSecond', render: (quota: Quota) => limitSaid(limit, quota[limit]) })),
                                {
                                    key: 'edit',
                                    title: '',
                                    number: true,
                                    render: (quota: Quota) => (
                                        <Button small label={t.quotas.edit(entityOf(quota))} onClick={() => setAsks(quota)}>
                                            {t.edit}
                                        </Button>
                                    ),
                                },
                            ]}
                        />
                    )}
                </Stale>
            )}
            {asks && <EditQuota quota={asks === 'new' ? undefined : asks} close={() => setAsks(undefined)} />}
        </>
    )
}

function EditQuota({ quota, close }: { quota?: Quota; close: () => void }) {
    const [user, setUser] = useState('')
    const [client, setClient] = useState('')
    const [texts, setTexts] = useState<Record<string, string>>(() => Object.fromEntries(LIMITS.map((limit) => [limit, quota?.[limit] === undefined ? '' : String(quota[limit])])))
    const number = (limit: Limit): number | null => {
        const exact = typed(texts[limit], limit.endsWith('BytesPerSecond') ? 'bytes' : undefined)
        return exact === '' ? null : Number(exact)
    }
    const bad = LIMITS.some((limit) => Number.isNaN(number(limit))) ? t.groups.wholeNumber : !quota && !user && !client ? t.quotas.entityMissing : undefined
    const work = useWork(async () => {
        const entity = quota ? { user: quota.user, client: quota.client, ip: quota.ip } : { user: user || undefined, client: client || undefined }
        const limits = Object.fromEntries(LIMITS.filter((limit) => (quota?.[limit] ?? null) !== number(limit)).map((limit) => [limit, number(limit)]))
        await change('PATCH', 'quotas', { ...entity, ...limits } as QuotaPatch)
        poke('users').value++
        say(t.configs.saved)
    }, close)
    const limits = LIMITS.filter((limit) => (quota?.ip !== undefined) === (limit === 'connectionsPerSecond'))
    return (
        <Dialog
            title={quota ? t.quotas.edit(entityOf(quota)) : t.quotas.create}
            close={close}
            submit={() => !bad && work.start()}
            footer={
                <>
                    <Button onClick={close}>{t.cancel}</Button>
                    <Button type="submit" kind="main" busy={work.busy} denied={bad}>
                        {t.configs.save}
                    </Button>
                </>
            }
        >
            {!quota && (
                <div class="fields">
                    <Text label={t.quotas.user} value={user} onInput={setUser} help={t.quotas.defaultHelp} placeholder="<default>" />
                    <Text label={t.quotas.clientId} value={client} onInput={setClient} help={t.quotas.defaultHelp} placeholder="<default>" />
                </div>
            )}
            {limits.map((limit) => (
                <Text key={limit} label={t.quotas.limits[limit]} value={texts[limit]} onInput={(text) => setTexts({ ...texts, [limit]: text })} placeholder={t.quotas.unlimited} help={texts[limit] && number(limit) !== null ? limitSaid(limit, number(limit)!) : undefined} />
            ))}
            {work.problem && <ProblemNote problem={work.problem} />}
        </Dialog>
    )
}

// ---- why -----------------------------------------------------------------------------------------------------------------

function Explain() {
    const query = route.value.query
    const [principal, setPrincipal] = useState(query.get('principal') ?? 'User:')
    const [operation, setOperation] = useState(query.get('operation') ?? 'read')
    const [type, setType] = useState(query.get('type') ?? 'topic')
    const [name, setName] = useState(query.get('name') ?? '')
    const [host, setHost] = useState(query.get('host') ?? '')
    const asked = query.get('asked') ? { principal: query.get('principal') ?? '', operation: query.get('operation') ?? '', type: query.get('type') ?? '', name: query.get('name') ?? '', host: query.get('host') ?? '' } : undefined
    const live = useLive<Explanation>(asked ? 'explain' : undefined, asked, { every: 0 })
    return (
        <section class="panel">
            <form
                class="inside stack"
                onSubmit={(event) => {
                    event.preventDefault()
                    refine({ principal, operation, type, name, host, asked: 1 }, true)
                }}
            >
                <p class="soft">{t.explain.about}</p>
                <div class="fields">
                    <Text label={t.acls.principal} value={principal} onInput={setPrincipal} wrong={badPrincipal(principal)} mono />
                    <Select label={t.acls.operation} value={operation} onInput={setOperation} options={Object.entries(t.acls.operations)} />
                    <Select label={t.acls.type} value={type} onInput={setType} options={Object.entries(t.acls.types)} />
                    <Text label={t.acls.resourceName} value={name} onInput={setName} mono />
                    <Text label={t.acls.host} value={host} onInput={setHost} mono placeholder="127.0.0.1" />
                </div>
                <div>
                    <Button type="submit" kind="main" denied={principal === 'User:' || !name ? t.explain.missing : undefined}>
                        {t.explain.ask}
                    </Button>
                </div>
                {live.problem && <ProblemNote problem={live.problem} />}
                {live.data && (
                    <>
                        <Note tone={live.data.allowed ? 'good' : 'bad'}>
                            <b>{live.data.allowed ? t.explain.allowed : t.explain.denied}</b>
                            <span>{live.data.sentence}</span>
                        </Note>
                        {live.data.rules.length > 0 && <AclTable acls={live.data.rules} />}
                    </>
                )}
            </form>
        </section>
    )
}

