import type { GroupItem, GroupPage } from '../contract'
import { usePaged } from '../live'
import { count } from '../format'
import { refine, route, to } from '../route'
import { overviewNow } from '../events'
import { t } from '../texts'
import { Badge, Button, Code, Empty, Note, Page, Search, Stale, Trouble, Waiting, type Tone } from '../parts/base'
import { List, orderNow } from '../parts/table'

const TONES: Record<GroupItem['state'], Tone> = { Stable: 'good', Empty: 'none', PreparingRebalance: 'busy', CompletingRebalance: 'busy', Dead: 'bad' }

export const GroupState = ({ state }: { state: GroupItem['state'] }) => <Badge tone={TONES[state] ?? 'none'}>{t.groups.states[state] ?? state}</Badge>

export function GroupsPage() {
    const query = route.value.query
    const sort = orderNow('name')
    const q = query.get('q') ?? ''
    const state = query.get('state') ?? ''
    const groups = usePaged<GroupItem>('groups', { q, sort, state })
    const page = groups.first as GroupPage | undefined
    const bootstrap = overviewNow.value?.bootstrap[0]?.address ?? '127.0.0.1:9092'
    return (
        <Page
            fill
            title={t.nav.groups}
            name={t.nav.groups}
            actions={
                <>
                    <Search label={t.groups.search} />
                    <select class="input fit" aria-label={t.state} value={state} onInput={(event) => refine({ state: event.currentTarget.value }, true)}>
                        <option value="">{t.groups.anyState}</option>
                        {Object.entries(t.groups.states).map(([key, words]) => (
                            <option key={key} value={key}>
                                {words}
                            </option>
                        ))}
                    </select>
                </>
            }
        >
            <Trouble of={groups} />
            {page?.unreachable && page.unreachable.length > 0 && <Note tone="warn">{t.unreachable(page.unreachable.map((each) => each.broker).join(', '))}</Note>}
            <Stale of={groups} class="panel stretch">
                {groups.total === undefined && !groups.problem && <Waiting />}
                {groups.total === 0 &&
                    !groups.loading &&
                    (q || state ? (
                        <Empty title={t.nothingFits}>
                            <Button onClick={() => refine({ q: '', state: '' })}>{t.clearFilter}</Button>
                        </Empty>
                    ) : (
                        <Empty title={t.groups.none}>
                            <p class="soft">{t.groups.noneMore}</p>
                            <Code text={`kcat -b ${bootstrap} -G my-group orders`} />
                        </Empty>
                    ))}
                {groups.total !== undefined && groups.total > 0 && (
                    <>
                        <List
                            label={t.nav.groups}
                            rows={groups}
                            id={(group) => group.name}
                            sort={sort}
                            columns={[
                                { key: 'name', title: t.group, sort: 'name', class: 'name cut', render: (group) => <a href={to(['groups', group.name])}>{group.name}</a> },
                                { key: 'state', title: t.state, sort: 'state', render: (group) => <GroupState state={group.state} /> },
                                { key: 'lag', title: t.groups.lag, sort: 'lag', number: true, render: (group) => (group.lagPartial ? `≥ ${count(group.lag)}` : count(group.lag)) },
                                { key: 'members', title: t.groups.members, sort: 'members', number: true, render: (group) => count(group.members) },
                                { key: 'topics', title: t.nav.topics, number: true, wide: true, render: (group) => count(group.topics) },
                                { key: 'type', title: t.groups.type, wide: true, render: (group) => t.groups.types[group.type] },
                                { key: 'coordinator', title: t.groups.coordinator, number: true, wide: true, render: (group) => <a href={to(['brokers', group.coordinator])}>{group.coordinator}</a> },
                            ]}
                        />
                        <div class="under" role="status">
                            {t.groups.found(count(groups.total))}
                        </div>
                    </>
                )}
            </Stale>
        </Page>
    )
}
