import { effect } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Activity, Blocks, Cog, Layers, LogOut, Menu, Moon, Search, Server, ShieldCheck, SlidersHorizontal, Sun, Terminal, Users } from 'lucide-preact'
import { change, connected, session } from './api'
import { lastEvent, operations, overviewNow } from './events'
import { forget } from './live'
import { go, route, to } from './route'
import { choose, dark, settings } from './settings'
import { t } from './texts'
import { Badge, Button, Choice, Empty, Page } from './parts/base'
import { Dialog, Toasts } from './parts/dialog'
import { Operations } from './pages/operations'
import { Palette } from './pages/palette'
import { OverviewPage } from './pages/overview'
import { TopicsPage } from './pages/topics'
import { TopicPage } from './pages/topic'
import { GroupsPage } from './pages/groups'
import { GroupPage } from './pages/group'
import { BrokerPage, BrokersPage } from './pages/brokers'
import { SecurityPage } from './pages/security'
import { PluginPage, PluginsPage } from './pages/plugins'
import { ComponentPage, ConfigurationPage } from './pages/configuration'

function view(path: string[]): ComponentChildren {
    const [first, second] = path
    switch (first) {
        case undefined:
            return <OverviewPage />
        case 'topics':
            return second === undefined ? <TopicsPage /> : <TopicPage key={second} name={second} />
        case 'groups':
            return second === undefined ? <GroupsPage /> : <GroupPage key={second} name={second} />
        case 'brokers':
            return second === undefined ? <BrokersPage /> : <BrokerPage key={second} id={second} />
        case 'security':
            return <SecurityPage />
        case 'plugins':
            return second === undefined ? <PluginsPage /> : <PluginPage key={second} name={second} />
        case 'configuration':
            return second === undefined ? <ConfigurationPage /> : <ComponentPage key={second} pid={second} />
        default:
            return (
                <Page title={t.noPage} name={t.noPage}>
                    <Empty title={t.noPageMore}>
                        <a href={to([])}>{t.nav.overview}</a>
                    </Empty>
                </Page>
            )
    }
}

const LINKS: { path: string; words: string; icon: typeof Activity }[][] = [
    [
        { path: '', words: t.nav.overview, icon: Activity },
        { path: 'topics', words: t.nav.topics, icon: Layers },
        { path: 'groups', words: t.nav.groups, icon: Users },
    ],
    [
        { path: 'brokers', words: t.nav.brokers, icon: Server },
        { path: 'security', words: t.nav.security, icon: ShieldCheck },
        { path: 'plugins', words: t.nav.plugins, icon: Blocks },
        { path: 'configuration', words: t.nav.configuration, icon: SlidersHorizontal },
    ],
]

export function Frame() {
    const [menu, setMenu] = useState(false)
    const [asks, setAsks] = useState<'palette' | 'operations' | 'me' | 'keys'>()
    const main = useRef<HTMLElement>(null)
    const { path } = route.value
    const where = path.join('/')
    useKeys(setAsks)
    useEffect(() => {
        setMenu(false)
        setAsks(undefined)
        main.current?.scrollTo(0, 0)
    }, [where])
    const overview = overviewNow.value
    const running = operations.value.filter((each) => each.state === 'running').length
    const cluster = session.value!.cluster
    const admin = session.value!.role === 'admin'
    return (
        <div class={`frame ${menu ? 'open' : ''}`}>
            <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
                {t.skip}
            </a>
            <header class="top">
                <span class="menu-button">
                    <Button kind="bare" label={t.menu} pressed={menu} icon={<Menu class="icon" />} onClick={() => setMenu(!menu)} />
                </span>
                <a class="brand" href={to([])}>
                    <img src="./felice.svg" alt="" />
                    <span>Felice</span>
                </a>
                <span class="cluster cut">{cluster.name ?? cluster.id}</span>
                <span class="grow" />
                {overview && (
                    <a href={to([])} class={lastEvent.value === 0 ? 'stale' : ''} aria-label={t.health(t.overview.verdicts[overview.verdict])}>
                        <Badge tone={({ healthy: 'good', degraded: 'warn', down: 'bad' } as const)[overview.verdict]}>{t.overview.short[overview.verdict]}</Badge>
                    </a>
                )}
                <Button kind="bare" label={`${t.search} Ctrl K`} icon={<Search class="icon" />} onClick={() => setAsks('palette')}>
                    <span class="wide-only row tight">
                        {t.search} <kbd>Ctrl K</kbd>
                    </span>
                </Button>
                <Button kind="bare" label={running > 0 ? `${t.operations.title} ${running}` : t.operations.title} icon={<Cog class="icon" />} onClick={() => setAsks('operations')}>
                    {running > 0 ? <Badge tone="busy">{running}</Badge> : <span class="wide-only">{t.operations.title}</span>}
                </Button>
                <Button kind="bare" label={dark.value ? t.toLight : t.toDark} icon={dark.value ? <Sun class="icon" /> : <Moon class="icon" />} onClick={() => choose({ theme: dark.value ? 'light' : 'dark' })} />
                <Button kind="bare" onClick={() => setAsks('me')}>
                    <span class="cut user">{session.value!.user}</span>
                </Button>
            </header>
            <nav class="side" aria-label={t.pages}>
                {LINKS.map((links, index) => (
                    <>
                        {index > 0 && <h2>{t.nav.cluster}</h2>}
                        {links.map(({ path: to1, words, icon: Icon }) => (
                            <a key={to1} href={to(to1 ? [to1] : [])} aria-current={(path[0] ?? '') === to1 ? 'page' : undefined}>
                                <Icon class="icon" aria-hidden />
                                {words}
                            </a>
                        ))}
                    </>
                ))}
                {admin && (
                    <a href="./system/console/bundles">
                        <Terminal class="icon" aria-hidden />
                        {t.nav.platform}
                    </a>
                )}
                <div class="foot small soft">
                    {t.node(session.value!.node)}
                    <br />
                    {session.value!.version}
                </div>
            </nav>
            <main class="main" id="main" ref={main} tabIndex={-1}>
                {!connected.value && (
                    <div class="banner" role="alert">
                        <b>{t.disconnected}</b> <span>{t.retrying}</span>
                    </div>
                )}
                {session.value!.enforced === false && overview && !overview.empty && path.length === 0 && (
                    <div class="banner">
                        <span>{t.notEnforced}</span> <a href={to(['security'])}>{t.nav.security}</a>
                    </div>
                )}
                <div class="grow" id="view">
                    {view(path)}
                </div>
            </main>
            {asks === 'palette' && <Palette close={() => setAsks(undefined)} />}
            {asks === 'operations' && <Operations close={() => setAsks(undefined)} />}
            {asks === 'me' && <Me close={() => setAsks(undefined)} />}
            {asks === 'keys' && <Keys close={() => setAsks(undefined)} />}
            <Toasts />
        </div>
    )
}

function Me({ close }: { close: () => void }) {
    const { user, role, rights } = session.value!
    const leave = async () => {
        try {
            await change('DELETE', 'session')
        } finally {
            forget()
            session.value = null
        }
    }
    return (
        <Dialog
            title={user}
            close={close}
            footer={
                <Button icon={<LogOut class="icon" />} onClick={leave}>
                    {t.logout}
                </Button>
            }
        >
            <dl class="pairs">
                <dt>{t.role}</dt>
                <dd>{t.roles[role]}</dd>
                <dt>{t.rights}</dt>
                <dd>{rights.map((right) => t.rightNames[right] ?? right).join(', ') || '–'}</dd>
                <dt>{t.theme}</dt>
                <dd>
                    <Choice label={t.theme} value={settings.value.theme ?? 'system'} options={[['system', t.themes.system], ['light', t.themes.light], ['dark', t.themes.dark]]} onInput={(value) => choose({ theme: value === 'system' ? undefined : (value as 'light' | 'dark') })} />
                </dd>
                <dt>{t.zone}</dt>
                <dd>
                    <Choice label={t.zone} value={settings.value.utc ? 'utc' : 'here'} options={[['here', Intl.DateTimeFormat().resolvedOptions().timeZone], ['utc', 'UTC']]} onInput={(value) => choose({ utc: value === 'utc' })} />
                </dd>
                <dt>{t.documents}</dt>
                <dd>
                    <a href="./api/v1/openapi.json">{t.restApi}</a>
                </dd>
            </dl>
        </Dialog>
    )
}

const GO: Record<string, string[]> = { o: [], t: ['topics'], g: ['groups'], b: ['brokers'], u: ['security'], p: ['plugins'], c: ['configuration'] }

function Keys({ close }: { close: () => void }) {
    const names: Record<string, string> = { o: t.nav.overview, t: t.nav.topics, g: t.nav.groups, b: t.nav.brokers, u: t.nav.security, p: t.nav.plugins, c: t.nav.configuration }
    return (
        <Dialog title={t.keys} close={close}>
            <dl class="pairs">
                <dt>
                    <kbd>Ctrl</kbd> <kbd>K</kbd>
                </dt>
                <dd>{t.search}</dd>
                <dt>
                    <kbd>/</kbd>
                </dt>
                <dd>{t.filterPage}</dd>
                {Object.keys(GO).map((key) => (
                    <>
                        <dt>
                            <kbd>g</kbd> <kbd>{key}</kbd>
                        </dt>
                        <dd>{names[key]}</dd>
                    </>
                ))}
            </dl>
        </Dialog>
    )
}

function useKeys(ask: (what: 'palette' | 'keys') => void) {
    useEffect(() => {
        let afterG = 0
        const press = (event: KeyboardEvent) => {
            if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
                event.preventDefault()
                ask('palette')
                return
            }
            const target = event.target as HTMLElement
            if (event.ctrlKey || event.metaKey || event.altKey || target.closest('input, textarea, select, dialog')) return
            if (event.key === '/') {
                event.preventDefault()
                document.querySelector<HTMLElement>('[data-search]')?.focus()
            } else if (event.key === '?') ask('keys')
            else if (event.key === 'g') afterG = Date.now()
            else if (Date.now() - afterG < 1500 && GO[event.key]) {
                afterG = 0
                go(GO[event.key])
            }
        }
        addEventListener('keydown', press)
        return () => removeEventListener('keydown', press)
    }, [])
}

// The colour and name of the cluster are in the tab of the browser too.
effect(() => {
    const colour = session.value?.cluster?.colour
    if (colour) document.documentElement.style.setProperty('--cluster', colour)
    else document.documentElement.style.removeProperty('--cluster')
})
