import { useState } from 'preact/hooks'
import { Upload } from 'lucide-preact'
import { change, part, Problem, send } from '../api'
import type { Operation, Plugin, PluginCheck, PluginPage as Plugins } from '../contract'
import { poke, useLive } from '../live'
import { operations } from '../events'
import { refine, route, to } from '../route'
import { t } from '../texts'
import { Badge, Button, Code, Empty, Facts, lacks, Note, Page, Panel, ProblemNote, Stale, Trouble, Waiting, type Tone } from '../parts/base'
import { Confirm, Dialog, say, useWork } from '../parts/dialog'
import { Table } from '../parts/table'
import { begun } from './operations'

const TONES: Record<Plugin['state'], Tone> = { runs: 'good', waits: 'warn', fails: 'bad', 'left-out': 'bad', disabled: 'none', changes: 'busy' }

export const PluginState = ({ plugin }: { plugin: Plugin }) => <Badge tone={TONES[plugin.state]}>{t.plugins.states[plugin.state]}</Badge>

const provides = (plugin: Pick<Plugin, 'provides'>) => plugin.provides.map((each) => (each.name ? `${each.kind} ${each.name}` : each.kind)).join(', ')

export function PluginsPage() {
    const live = useLive<Plugins>('plugins', {}, { kind: 'plugins' })
    const plugins = live.data?.items ?? []
    return (
        <Page
            fill
            title={t.nav.plugins}
            name={t.nav.plugins}
            actions={
                <Button kind="main" icon={<Upload class="icon" />} denied={lacks('admin')} onClick={() => refine({ new: 1 }, true)}>
                    {t.plugins.install}
                </Button>
            }
        >
            <Trouble of={live} />
            {!live.data && !live.problem && <Waiting />}
            {live.data && (
                <Stale of={live} class="panel stretch">
                    {plugins.length === 0 ? (
                        <Empty title={t.plugins.none}>
                            <p class="soft">{t.plugins.noneMore}</p>
                            <Code text="bin/felice plugin install my-plugin.jar" />
                        </Empty>
                    ) : (
                        <Table
                            label={t.nav.plugins}
                            items={plugins}
                            id={(plugin) => plugin.name}
                            columns={[
                                { key: 'name', title: t.plugin, class: 'name cut', render: (plugin) => <a href={to(['plugins', plugin.name])}>{plugin.name}</a> },
                                { key: 'version', title: t.plugins.version, render: (plugin) => plugin.version || '–' },
                                { key: 'state', title: t.state, render: (plugin) => <PluginState plugin={plugin} /> },
                                { key: 'sentence', title: t.plugins.says, class: 'wrap', render: (plugin) => plugin.sentence },
                                { key: 'provides', title: t.plugins.provides, wide: true, class: 'wrap', render: (plugin) => provides(plugin) || '–' },
                                { key: 'signer', title: t.plugins.signer, wide: true, class: 'name cut', render: (plugin) => plugin.signer || <span class="soft">{t.plugins.unsigned}</span> },
                            ]}
                        />
                    )}
                </Stale>
            )}
            {route.value.query.get('new') && !lacks('admin') && <Install close={() => refine({ new: '' })} />}
        </Page>
    )
}

type Asks = 'upgrade' | 'rollback' | 'disable' | 'remove'

export function PluginPage({ name }: { name: string }) {
    const live = useLive<Plugins>('plugins', {}, { kind: 'plugins' })
    const [asks, setAsks] = useState<Asks>()
    const [problem, setProblem] = useState<Problem>()
    const plugin = live.data?.items.find((each) => each.name === name)
    const close = () => setAsks(undefined)
    const denied = lacks('admin') ?? (plugin?.state === 'changes' ? t.plugins.changing : undefined)
    const order = async (what: 'rollback' | 'enable' | 'disable') => {
        begun(await change<Operation>('POST', `plugins/${part(name)}/${what}`))
        poke('plugins').value++
    }
    const works = operations.value.filter((each) => each.subject === name || each.subject === `plugin/${name}` || each.title.includes(name)).slice(0, 3)
    return (
        <Page
            name={name}
            crumbs={<a href={to(['plugins'])}>{t.nav.plugins}</a>}
            title={
                <>
                    {name}
                    {plugin && <PluginState plugin={plugin} />}
                </>
            }
            actions={
                plugin && (
                    <>
                        <Button kind="main" denied={denied} onClick={() => setAsks('upgrade')}>
                            {t.plugins.upgrade}
                        </Button>
                        <Button denied={denied ?? (plugin.kept.length === 0 ? t.plugins.nothingKept : undefined)} onClick={() => setAsks('rollback')}>
                            {t.plugins.rollback}
                        </Button>
                        {plugin.state === 'disabled' || plugin.state === 'left-out' ? (
                            <Button
                                denied={denied}
                                onClick={async () => {
                                    try {
                                        await order('enable')
                                    } catch (failure) {
                                        setProblem(failure as Problem)
                                    }
                                }}
                            >
                                {plugin.state === 'disabled' ? t.plugins.enable : t.plugins.retry}
                            </Button>
                        ) : (
                            <Button denied={denied} onClick={() => setAsks('disable')}>
                                {t.plugins.disable}
                            </Button>
                        )}
                        <Button kind="danger" denied={denied} onClick={() => setAsks('remove')}>
                            {t.remove}
                        </Button>
                    </>
                )
            }
        >
            <Trouble of={live} />
            {problem && <ProblemNote problem={problem} />}
            {!live.data && !live.problem && <Waiting />}
            {live.data && !plugin && (
                <Empty title={t.plugins.gone(name)}>
                    <a href={to(['plugins'])}>{t.nav.plugins}</a>
                </Empty>
            )}
            {plugin && (
                <Stale of={live} class="stack loose">
                    <Note tone={plugin.state === 'runs' ? 'good' : plugin.state === 'disabled' || plugin.state === 'changes' ? 'none' : plugin.state === 'waits' ? 'warn' : 'bad'}>{plugin.sentence}</Note>
                    <Panel inside>
                        <Facts facts={[[t.plugins.version, plugin.version || '–'], [t.plugins.file, plugin.file || '–'], [t.plugins.signer, plugin.signer || t.plugins.unsigned], [t.plugins.kept, plugin.kept.join(', ') || '–']]} small />
                    </Panel>
                    <Panel title={t.plugins.provides}>
                        {plugin.provides.length === 0 ? (
                            <Empty title={t.plugins.providesNothing} />
                        ) : (
                            <Table
                                label={t.plugins.provides}
                                items={plugin.provides}
                                id={(each) => each.kind + (each.name ?? '')}
                                columns={[
                                    { key: 'kind', title: t.plugins.kind, render: (each) => each.kind },
                                    { key: 'name', title: t.name, render: (each) => each.name ?? '–' },
                                ]}
                            />
                        )}
                    </Panel>
                    {works.length > 0 && (
                        <Panel title={t.operations.title}>
                            <Table
                                label={t.operations.title}
                                items={works}
                                id={(each) => each.id}
                                columns={[
                                    { key: 'title', title: t.operations.what, render: (each) => each.title },
                                    { key: 'state', title: t.state, render: (each) => <Badge tone={({ running: 'busy', done: 'good', failed: 'bad', cancelled: 'none' } as const)[each.state]}>{t.operations.states[each.state]}</Badge> },
                                    { key: 'sentence', title: t.plugins.says, class: 'wrap', render: (each) => each.sentence },
                                ]}
                            />
                        </Panel>
                    )}
                    <p>
                        <a href={to(['configuration'], { q: name })}>{t.plugins.itsSettings}</a>
                    </p>
                </Stale>
            )}
            {plugin && asks === 'upgrade' && <Install upgrade={plugin} close={close} />}
            {plugin && asks === 'rollback' && (
                <Confirm title={t.plugins.rollbackTitle(name)} act={t.plugins.rollback} close={close} run={() => order('rollback')}>
                    <p>{t.plugins.rollbackMore(plugin.version, plugin.kept[0])}</p>
                </Confirm>
            )}
            {plugin && asks === 'disable' && (
                <Confirm title={t.plugins.disableTitle(name)} act={t.plugins.disable} close={close} run={() => order('disable')}>
                    <p>{t.plugins.disableMore}</p>
                </Confirm>
            )}
            {plugin && asks === 'remove' && (
                <Confirm
                    title={t.plugins.removeTitle(name)}
                    act={t.remove}
                    danger
                    retype={name}
                    close={close}
                    run={async () => {
                        begun(await change<Operation>('DELETE', `plugins/${part(name)}`))
                        poke('plugins').value++
                    }}
                >
                    <p>{t.plugins.removeMore}</p>
                </Confirm>
            )}
        </Page>
    )
}

/** Uploads a file, shows what the node says about it, and installs it only then. */
function Install({ upgrade, close }: { upgrade?: Plugin; close: () => void }) {
    const [check, setCheck] = useState<PluginCheck>()
    const [over, setOver] = useState(false)
    const [busy, setBusy] = useState(false)
    const [problem, setProblem] = useState<Problem>()
    const take = async (file?: File) => {
        if (!file) return
        setBusy(true)
        setProblem(undefined)
        setCheck(undefined)
        try {
            const response = await send('POST', 'plugins/check', { body: file, headers: { 'X-File-Name': file.name.replace(/[^\x20-\x7e]/g, '_'), 'Content-Type': 'application/octet-stream' } })
            setCheck(await response.json())
        } catch (failure) {
            setProblem(failure instanceof Problem ? failure : new Problem(-1, { title: String(failure) }))
        }
        setBusy(false)
    }
    const other = check && (upgrade ?? (check.installed !== undefined ? { name: check.name } : undefined))
    const mismatch = check && upgrade && check.name !== upgrade.name ? t.plugins.otherPlugin(check.name, upgrade.name) : undefined
    const work = useWork(async () => {
        begun(await change<Operation>('POST', other ? `plugins/${part(other.name)}/upgrade` : 'plugins', { token: check!.token }))
        poke('plugins').value++
        say(t.plugins.begun)
    }, close)
    const denied = !check ? t.plugins.fileFirst : !check.fits ? t.plugins.refused : mismatch
    return (
        <Dialog
            title={upgrade ? t.plugins.upgradeTitle(upgrade.name) : t.plugins.install}
            close={close}
            broad
            submit={() => !denied && work.start()}
            footer={
                <>
                    <Button onClick={close}>{t.cancel}</Button>
                    <Button type="submit" kind="main" busy={work.busy} denied={denied}>
                        {other ? t.plugins.upgrade : t.plugins.installIt}
                    </Button>
                </>
            }
        >
            <label
                class={`drop ${over ? 'over' : ''}`}
                onDragOver={(event) => {
                    event.preventDefault()
                    setOver(true)
                }}
                onDragLeave={() => setOver(false)}
                onDrop={(event) => {
                    event.preventDefault()
                    setOver(false)
                    void take(event.dataTransfer?.files[0])
                }}
            >
                <Upload class="icon" aria-hidden />
                <span>{busy ? t.plugins.checking : (check?.fileName ?? t.plugins.choose)}</span>
                <input type="file" accept=".jar,.zip,.kar,.felice" onChange={(event) => void take(event.currentTarget.files?.[0])} aria-label={t.plugins.choose} />
            </label>
            {!check && !busy && <p class="soft">{t.plugins.checkMore}</p>}
            {check && (
                <>
                    <Note tone={check.fits ? 'good' : 'bad'}>
                        <b>{check.fits ? t.plugins.fits(check.name, check.version) : t.plugins.fitsNot(check.name || check.fileName)}</b>
                        {check.installed !== undefined && <span>{t.plugins.replaces(check.installed)}</span>}
                    </Note>
                    {mismatch && <Note tone="bad">{mismatch}</Note>}
                    {check.findings.map((finding) => (
                        <Note key={finding.sentence} tone={finding.refuses ? 'bad' : 'warn'}>
                            {finding.sentence}
                            {finding.raw && (
                                <details>
                                    <summary class="soft">{t.details}</summary>
                                    <pre class="small">{finding.raw}</pre>
                                </details>
                            )}
                        </Note>
                    ))}
                    <dl class="pairs">
                        <dt>{t.plugins.provides}</dt>
                        <dd>{provides(check) || '–'}</dd>
                        <dt>{t.plugins.needs}</dt>
                        <dd>{check.configurations.join('; ') || t.plugins.needsNothing}</dd>
                        <dt>{t.plugins.signer}</dt>
                        <dd>{check.signer || t.plugins.unsigned}</dd>
                    </dl>
                </>
            )}
            {(problem ?? work.problem) && <ProblemNote problem={(problem ?? work.problem)!} />}
        </Dialog>
    )
}
