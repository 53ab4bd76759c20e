import { useEffect, useRef, useState } from 'preact/hooks'
import { get, mayAs } from '../api'
import type { ComponentPage, GroupPage, PluginPage, TopicItem } from '../contract'
import { go, to } from '../route'
import { t } from '../texts'
import { found } from '../parts/table'

interface Hit {
    words: string
    kind: string
    path: (string | number)[]
    query?: Record<string, string | number>
}

const PAGES: Hit[] = [
    { words: t.nav.overview, kind: t.page, path: [] },
    { words: t.nav.topics, kind: t.page, path: ['topics'] },
    { words: t.nav.groups, kind: t.page, path: ['groups'] },
    { words: t.nav.brokers, kind: t.page, path: ['brokers'] },
    { words: t.nav.security, kind: t.page, path: ['security'] },
    { words: t.nav.plugins, kind: t.page, path: ['plugins'] },
    { words: t.nav.configuration, kind: t.page, path: ['configuration'] },
    { words: t.topics.create, kind: t.action, path: ['topics'], query: { new: 1 } },
    { words: t.plugins.install, kind: t.action, path: ['plugins'], query: { new: 1 } },
    { words: t.users.wizard, kind: t.action, path: ['security', 'rights'], query: { wizard: 1 } },
]

/** Goes to a page, a topic, a group, a setting or a plugin by its name. */
export function Palette({ close }: { close: () => void }) {
    const [text, setText] = useState('')
    const [hits, setHits] = useState<Hit[]>([])
    const [chosen, setChosen] = useState(0)
    const dialog = useRef<HTMLDialogElement>(null)
    useEffect(() => dialog.current?.showModal(), [])
    useEffect(() => {
        setChosen(0)
        if (!text.trim()) return setHits([])
        const stop = new AbortController()
        const timer = setTimeout(async () => {
            const query = { q: text.trim(), limit: 6 }
            const read = async <T,>(path: string, hit: (item: T) => Hit): Promise<Hit[]> => {
                try {
                    return (await get<{ items: T[] }>(path, query, stop.signal)).data.items.slice(0, 6).map(hit)
                } catch {
                    return []
                }
            }
            const lists = await Promise.all([
                read<TopicItem>('topics', (item) => ({ words: item.name, kind: t.topic.name, path: ['topics', item.name] })),
                read<GroupPage['items'][number]>('groups', (item) => ({ words: item.name, kind: t.group, path: ['groups', item.name] })),
                mayAs('admin') ? read<ComponentPage['items'][number]>('configuration', (item) => ({ words: item.name, kind: t.nav.configuration, path: ['configuration', item.pid] })) : [],
                read<PluginPage['items'][number]>('plugins', (item) => ({ words: item.name, kind: t.plugin, path: ['plugins', item.name] })).then((all) => all.filter((hit) => found(text, hit.words))),
            ])
            if (!stop.signal.aborted) setHits(lists.flat())
        }, 120)
        return () => {
            stop.abort()
            clearTimeout(timer)
        }
    }, [text])
    const all = [...PAGES.filter((hit) => found(text.trim(), hit.words)), ...hits]
    const open = (hit?: Hit) => {
        if (!hit) return
        close()
        go(hit.path, hit.query)
    }
    return (
        <dialog ref={dialog} class="palette" aria-label={t.search} onCancel={(event) => (event.preventDefault(), close())} onClick={(event) => event.target === dialog.current && close()}>
            <input
                class="input"
                type="text"
                role="combobox"
                aria-expanded="true"
                aria-controls="hits"
                aria-activedescendant={all[chosen] ? `hit-${chosen}` : undefined}
                aria-label={t.search}
                placeholder={t.searchAll}
                value={text}
                spellcheck={false}
                onInput={(event) => setText(event.currentTarget.value)}
                onKeyDown={(event) => {
                    if (event.key === 'ArrowDown') setChosen(Math.min(chosen + 1, all.length - 1))
                    else if (event.key === 'ArrowUp') setChosen(Math.max(chosen - 1, 0))
                    else if (event.key === 'Enter') open(all[chosen])
                    else return
                    event.preventDefault()
                }}
            />
            <ul id="hits" role="listbox" aria-label={t.results}>
                {all.map((hit, index) => (
                    <li key={hit.kind + hit.words} id={`hit-${index}`} role="option" aria-selected={index === chosen}>
                        <a href={to(hit.path, hit.query)} tabIndex={-1} onClick={(event) => (event.preventDefault(), open(hit))}>
                            <span class="cut">{hit.words}</span>
                            <span class="soft small">{hit.kind}</span>
                        </a>
                    </li>
                ))}
                {all.length === 0 && (
                    <li class="empty soft" role="option" aria-selected="false" aria-disabled="true">
                        {t.nothingFound}
                    </li>
                )}
            </ul>
        </dialog>
    )
}
