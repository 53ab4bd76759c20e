import { useState } from 'preact/hooks'
import { change, part } from '../api'
import type { Component, ComponentPage as Components, ConfigChange, ConfigHistory, ConfigVersion } from '../contract'
import { useLive } from '../live'
import { count } from '../format'
import { route, to } from '../route'
import { t } from '../texts'
import { Badge, Empty, Button, lacks, Page, Search, Stale, Tabs, Time, Trouble, Waiting, ProblemNote } from '../parts/base'
import { Confirm, say, useWork } from '../parts/dialog'
import { ConfigEditor, Diff, ofSetting } from '../parts/configs'
import { List, rowsOf } from '../parts/table'

export function ConfigurationPage() {
    const q = route.value.query.get('q') ?? ''
    const denied = lacks('admin')
    const live = useLive<Components>(denied ? undefined : 'configuration', { q }, { kind: 'configuration', every: 15_000 })
    const items = live.data?.items ?? []
    return (
        <Page fill title={t.nav.configuration} name={t.nav.configuration} actions={<Search label={t.configuration.search} />}>
            {denied && (
                <section class="panel">
                    <Empty title={t.configuration.adminsOnly}>
                        <p class="soft">{denied}</p>
                    </Empty>
                </section>
            )}
            <Trouble of={live} />
            {!denied && !live.data && !live.problem && <Waiting />}
            {live.data && (
                <Stale of={live} class="panel stretch">
                    {items.length === 0 ? (
                        <Empty title={t.nothingFits} />
                    ) : (
                        <List
                            label={t.nav.configuration}
                            rows={rowsOf(items)}
                            id={(item) => item.pid}
                            height={50}
                    class="tall"
                            columns={[
                                {
                                    key: 'name',
                                    title: t.configuration.part,
                                    class: 'name cut broad-name',
                                    render: (item) => (
                                        <div class="stack tight">
                                            <a href={to(['configuration', item.pid], { q })}>{item.name}</a>
                                            <span class="small soft cut" title={item.help}>
                                                {item.help}
                                            </span>
                                        </div>
                                    ),
                                },
                                { key: 'pid', title: t.configuration.pid, wide: true, render: (item) => <span class="row tight"><code>{item.pid}</code>{item.plugin && <Badge tone="plain">{t.plugin}</Badge>}</span> },
                                { key: 'settings', title: t.configuration.settings, number: true, render: (item) => count(item.settings) },
                                { key: 'changed', title: t.configuration.changed, number: true, render: (item) => (item.changed > 0 ? <Badge>{count(item.changed)}</Badge> : <span class="soft">0</span>) },
                                { key: 'file', title: t.configuration.file, wide: true, class: 'name cut', render: (item) => <span class="soft" title={item.file}>{item.file?.split('/').pop() ?? '–'}</span> },
                            ]}
                        />
                    )}
                </Stale>
            )}
        </Page>
    )
}

export function ComponentPage({ pid }: { pid: string }) {
    const denied = lacks('admin')
    const path = `configuration/${part(pid)}`
    const live = useLive<Component>(denied ? undefined : path, {}, { every: 0, kind: 'configuration' })
    const past = useLive<ConfigHistory>(denied ? undefined : `${path}/history`, {}, { every: 0, kind: 'configuration' })
    const [reverted, setReverted] = useState<ConfigVersion>()
    const tab = route.value.path[2] ?? 'settings'
    const component = live.data
    const reload = () => {
        void live.reload()
        void past.reload()
    }
    return (
        <Page
            fill
            name={component?.name ?? pid}
            crumbs={<a href={to(['configuration'])}>{t.nav.configuration}</a>}
            title={
                <>
                    {component?.name ?? pid}
                    {component?.plugin && <Badge tone="plain">{t.plugin}</Badge>}
                </>
            }
        >
            {denied && <Empty title={t.configuration.adminsOnly} />}
            <Trouble of={live} />
            {!denied && !component && !live.problem && <Waiting />}
            {component && (
                <>
                    <div class="stack tight">
                        <p class="soft">{component.help}</p>
                        <p class="small soft">
                            <code>{component.pid}</code> {component.file && ` · ${component.file}`}
                        </p>
                    </div>
                    <Tabs
                        label={component.name}
                        tabs={[
                            { href: to(['configuration', pid]), words: t.configuration.settings, much: component.settings.length, current: tab === 'settings' },
                            { href: to(['configuration', pid, 'history']), words: t.configuration.history, much: past.data?.items.length, current: tab === 'history' },
                        ]}
                    />
                    {tab === 'history' ? (
                        <>
                            <Trouble of={past} />
                            {past.data && <History versions={past.data.items} revert={setReverted} />}
                        </>
                    ) : (
                        <ConfigEditor label={component.name} path={path} etag={live.etag} denied={lacks('admin')} ownWords={t.configs.onlyOwn} reload={reload} entries={component.settings.map(ofSetting)} />
                    )}
                    {reverted && (
                        <Revert
                            path={path}
                            version={reverted}
                            close={() => setReverted(undefined)}
                            done={reload}
                        />
                    )}
                </>
            )}
        </Page>
    )
}

function History({ versions, revert }: { versions: ConfigVersion[]; revert: (version: ConfigVersion) => void }) {
    if (versions.length === 0) {
        return (
            <section class="panel">
                <Empty title={t.configuration.noHistory}>
                    <p class="soft">{t.configuration.noHistoryMore}</p>
                </Empty>
            </section>
        )
    }
    return (
        <div class="stack">
            {versions.map((version) => (
                <section class="panel" key={version.version}>
                    <header>
                        <h2>
                            <Time at={version.at} />
                        </h2>
                        <span class="soft">{version.author === 'file' ? t.configuration.byFile : version.author}</span>
                        <Button small label={t.configuration.revertOf(version.version)} onClick={() => revert(version)}>
                            {t.configuration.revert}
                        </Button>
                    </header>
                    <Diff changed={version.changed} />
                </section>
            ))}
        </div>
    )
}

function Revert({ path, version, close, done }: { path: string; version: ConfigVersion; close: () => void; done: () => void }) {
    const [diff, setDiff] = useState<ConfigChange>()
    const [asked, setAsked] = useState(false)
    const check = useWork(async () => setDiff(await change<ConfigChange>('POST', `${path}/revert`, { version: version.version }, { query: { dryRun: true } })))
    if (!asked) {
        setAsked(true)
        void check.start()
    }
    return (
        <Confirm
            title={t.configuration.revertTitle}
            act={t.configuration.revert}
            broad
            denied={diff ? (diff.changed.length ? undefined : t.configs.nothing) : t.configs.notChecked}
            close={close}
            run={async () => {
                await change('POST', `${path}/revert`, { version: version.version })
                say(t.configs.saved)
                done()
            }}
        >
            {check.problem && <ProblemNote problem={check.problem} />}
            {diff && (diff.changed.length ? <Diff changed={diff.changed} /> : <p>{t.configs.nothing}</p>)}
        </Confirm>
    )
}
