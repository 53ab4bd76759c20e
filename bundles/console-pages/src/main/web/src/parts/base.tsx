import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { Check, CircleAlert, CircleCheck, Copy as CopyIcon, Info, Search as SearchIcon, TriangleAlert, Unplug } from 'lucide-preact'
import { mayAs, Problem, session } from '../api'
import type { Live } from '../live'
import { now } from '../live'
import { settings } from '../settings'
import { refine, route } from '../route'
import { iso, seconds, time } from '../format'
import { t } from '../texts'
import type { Role } from '../contract'

/** Why the user may not do what needs this role; undefined if the user may. */
export function lacks(role: Role): string | undefined {
    const mine = session.value?.role
    return mayAs(role) ? undefined : t.lacksRole(t.roles[role], mine ? t.roles[mine] : t.nobody)
}

export function lacksRight(right: string): string | undefined {
    return (session.value?.rights as string[] | undefined)?.includes(right) ? undefined : (t.lacksRight[right] ?? t.lacksAnyRight(right))
}

interface ButtonProps {
    children?: ComponentChildren
    onClick?: (event: MouseEvent) => void
    kind?: 'main' | 'danger' | 'danger-main' | 'bare'
    small?: boolean
    icon?: ComponentChildren
    label?: string
    type?: 'button' | 'submit'
    busy?: boolean
    /** The reason why it cannot be used now. */
    denied?: string
    pressed?: boolean
}

export function Button({ children, onClick, kind, small, icon, label, type = 'button', busy, denied, pressed }: ButtonProps) {
    const reason = useId()
    const classes = ['button']
    if (kind === 'main') classes.push('main-action')
    if (kind === 'danger') classes.push('danger')
    if (kind === 'danger-main') classes.push('danger', 'main-action')
    if (kind === 'bare') classes.push('bare')
    if (small) classes.push('small')
    if (!children) classes.push('icon-only')
    const off = denied !== undefined || busy
    return (
        <>
            <button
                type={off ? 'button' : type}
                class={classes.join(' ')}
                aria-label={label}
                aria-pressed={pressed}
                aria-disabled={off ? 'true' : undefined}
                aria-busy={busy || undefined}
                aria-describedby={denied ? reason : undefined}
                title={denied ?? (children ? undefined : label)}
                onClick={(event) => (off ? event.preventDefault() : onClick?.(event))}
            >
                {icon}
                {children}
            </button>
            {denied && (
                <span id={reason} hidden>
                    {denied}
                </span>
            )}
        </>
    )
}

export type Tone = 'good' | 'warn' | 'bad' | 'busy' | 'none' | 'plain'

export const Badge = ({ tone = 'none', children, title }: { tone?: Tone; children: ComponentChildren; title?: string }) => (
    <span class={`badge ${tone}`} title={title}>
        {children}
    </span>
)

export function Copy({ text, label = t.copy }: { text: string; label?: string }) {
    const [done, setDone] = useState(false)
    const copy = async () => {
        try {
            await navigator.clipboard.writeText(text)
        } catch {
            // Without HTTPS a browser has no clipboard for pages, except this old way.
            const area = document.createElement('textarea')
            area.value = text
            document.body.append(area)
            area.select()
            document.execCommand('copy')
            area.remove()
        }
        setDone(true)
        setTimeout(() => setDone(false), 1500)
    }
    return (
        <>
            <Button kind="bare" small label={done ? t.copied : label} icon={done ? <Check class="icon" /> : <CopyIcon class="icon" />} onClick={copy} />
            <span class="only-read" role="status">
                {done ? t.copied : ''}
            </span>
        </>
    )
}

export const Code = ({ text, oneLine }: { text: string; oneLine?: boolean }) => (
    <div class={`code ${oneLine ? 'one-line' : ''}`} title={oneLine ? text : undefined}>
        <pre>{text}</pre>
        <Copy text={text} />
    </div>
)

interface FieldProps {
    label: string
    help?: ComponentChildren
    wrong?: string
    /** The label is only read out, because other words beside the field say the same. */
    hideLabel?: boolean
    children: (ids: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: 'true' }) => ComponentChildren
}

export function Field({ label, help, wrong, hideLabel, children }: FieldProps) {
    const id = useId()
    const described = [help ? id + '-help' : '', wrong ? id + '-wrong' : ''].filter(Boolean).join(' ')
    return (
        <div class="field">
            <label for={id} class={hideLabel ? 'only-read' : undefined}>
                {label}
            </label>
            {children({ id, 'aria-describedby': described || undefined, 'aria-invalid': wrong ? 'true' : undefined })}
            {help && (
                <span class="help" id={id + '-help'}>
                    {help}
                </span>
            )}
            {wrong && (
                <span class="wrong" id={id + '-wrong'} role="alert">
                    {wrong}
                </span>
            )}
        </div>
    )
}

interface TextProps extends Omit<FieldProps, 'children'> {
    value: string
    onInput: (value: string) => void
    type?: string
    placeholder?: string
    autoFocus?: boolean
    autocomplete?: string
    mono?: boolean
    disabled?: boolean
    lines?: number
}

export function Text({ label, help, wrong, hideLabel, value, onInput, lines, mono, autoFocus, ...rest }: TextProps) {
    const ref = useRef<HTMLInputElement & HTMLTextAreaElement>(null)
    useEffect(() => {
        if (autoFocus) ref.current?.focus()
    }, [])
    const classes = `input ${mono ? 'mono' : ''}`
    const type = (event: JSX.TargetedInputEvent<HTMLInputElement | HTMLTextAreaElement>) => onInput(event.currentTarget.value)
    return (
        <Field label={label} help={help} wrong={wrong} hideLabel={hideLabel}>
            {(ids) =>
                lines ? (
                    <textarea ref={ref} autofocus={autoFocus} class={classes} rows={lines} spellcheck={false} value={value} onInput={type} placeholder={rest.placeholder} disabled={rest.disabled} {...ids} />
                ) : (
                    <input ref={ref} autofocus={autoFocus} class={classes} spellcheck={false} value={value} onInput={type} {...rest} autocomplete={rest.autocomplete ?? 'off'} {...ids} />
                )
            }
        </Field>
    )
}

interface SelectProps extends Omit<FieldProps, 'children'> {
    value: string
    onInput: (value: string) => void
    options: (readonly [value: string, words: string])[]
    disabled?: boolean
}

export function Select({ label, help, wrong, value, onInput, options, disabled }: SelectProps) {
    return (
        <Field label={label} help={help} wrong={wrong}>
            {(ids) => (
                <select class="input" value={value} disabled={disabled} onInput={(event) => onInput(event.currentTarget.value)} {...ids}>
                    {options.map(([key, words]) => (
                        <option key={key} value={key}>
                            {words}
                        </option>
                    ))}
                </select>
            )}
        </Field>
    )
}

interface ChoiceProps {
    label: string
    value: string
    options: (readonly [value: string, words: string])[]
    onInput: (value: string) => void
}

export function Choice({ label, value, options, onInput }: ChoiceProps) {
    const name = useId()
    return (
        <div class="choice" role="radiogroup" aria-label={label}>
            {options.map(([key, words]) => (
                <label key={key}>
                    <input type="radio" name={name} checked={key === value} onChange={() => onInput(key)} />
                    <span>{words}</span>
                </label>
            ))}
        </div>
    )
}

export function Cards({ label, value, options, onInput }: Omit<ChoiceProps, 'options'> & { options: (readonly [string, string, string])[] }) {
    const name = useId()
    return (
        <div class="cards" role="radiogroup" aria-label={label}>
            {options.map(([key, words, more]) => (
                <label key={key}>
                    <input type="radio" name={name} checked={key === value} onChange={() => onInput(key)} />
                    <b>{words}</b>
                    <span class="soft small">{more}</span>
                </label>
            ))}
        </div>
    )
}

export const Tick = ({ label, value, onInput }: { label: string; value: boolean; onInput: (value: boolean) => void }) => (
    <label class="check">
        <input type="checkbox" checked={value} onChange={(event) => onInput(event.currentTarget.checked)} />
        {label}
    </label>
)

/** A search field whose text is a part of the address. `/` goes to it. */
export function Search({ name = 'q', label }: { name?: string; label: string }) {
    const value = route.value.query.get(name) ?? ''
    const [text, setText] = useState(value)
    const timer = useRef<ReturnType<typeof setTimeout>>()
    useEffect(() => setText(value), [value])
    useEffect(() => () => clearTimeout(timer.current), [])
    return (
        <div class="search">
            <SearchIcon class="icon" aria-hidden />
            <input
                class="input"
                type="search"
                aria-label={label}
                placeholder={label}
                data-search
                value={text}
                spellcheck={false}
                onInput={(event) => {
                    const typed = event.currentTarget.value
                    setText(typed)
                    clearTimeout(timer.current)
                    timer.current = setTimeout(() => refine({ [name]: typed }), 150)
                }}
            />
        </div>
    )
}

const MARKS = { good: CircleCheck, warn: TriangleAlert, bad: CircleAlert, none: Info }

export function Note({ tone = 'none', children, plain }: { tone?: 'good' | 'warn' | 'bad' | 'none'; children: ComponentChildren; plain?: boolean }) {
    const Mark = MARKS[tone]
    return (
        <div class={`note ${tone} ${plain ? 'plain' : ''}`} role={tone === 'bad' ? 'alert' : undefined}>
            <Mark class="icon" aria-hidden />
            <div>{children}</div>
        </div>
    )
}

/** What went wrong, and what to do. */
export function ProblemNote({ problem, retry }: { problem: Problem; retry?: () => void }) {
    const { document, status } = problem
    return (
        <div class={`note ${problem.passes ? 'warn' : 'bad'}`} role="alert">
            {problem.passes ? <Unplug class="icon" aria-hidden /> : <CircleAlert class="icon" aria-hidden />}
            <div>
                <b>{problemTitle(problem)}</b>
                {document.detail && status !== 0 && <span>{document.detail}</span>}
                {document.errors && (
                    <ul>
                        {document.errors.map((each) => (
                            <li key={each.key}>
                                <code>{each.key}</code>: {each.sentence}
                            </li>
                        ))}
                    </ul>
                )}
                {document.remedy && <span>{document.remedy}</span>}
                {problem.passes && <span>{t.comesBack}</span>}
                {(document.code || document.correlation) && (
                    <span class="small soft">
                        {document.code}
                        {document.correlation && ` · ${t.correlation(document.correlation)}`}
                    </span>
                )}
            </div>
            {retry && !problem.passes && (
                <Button small onClick={retry}>
                    {t.again}
                </Button>
            )}
        </div>
    )
}

export function problemTitle({ status, document }: Problem): string {
    if (status === 0) return t.noAnswer
    if (status === 503) return document.bundle ? t.bundleAway(document.bundle) : t.away
    return document.title
}

/** The note above data that could not be read anew; nothing while all is well. */
export function Trouble({ of }: { of: Pick<Live<unknown>, 'problem' | 'at'> & { reload?: () => void } }) {
    if (!of.problem) return null
    return (
        <div class="stack tight">
            <ProblemNote problem={of.problem} retry={of.reload} />
            {of.at && <Age at={of.at} />}
        </div>
    )
}

export function Age({ at }: { at: number }) {
    const age = Math.max(0, Math.round((now.value - at) / 1000))
    return <span class="age">{t.asOf(seconds(age))}</span>
}

/** Data greyed while it is older than it should be. */
export const Stale = ({ of, children, class: classes = '' }: { of: { problem?: Problem }; children: ComponentChildren; class?: string }) => (
    <div class={`${classes} ${of.problem ? 'stale' : ''}`}>{children}</div>
)

export function Time({ at, ms }: { at?: string | number; ms?: boolean }) {
    if (at === undefined || at === null) return <span class="soft">–</span>
    return (
        <time dateTime={iso(at)} title={iso(at)}>
            {time(at, settings.value.utc, ms)}
        </time>
    )
}

interface PageProps {
    title: ComponentChildren
    name: string
    crumbs?: ComponentChildren
    actions?: ComponentChildren
    children: ComponentChildren
    fill?: boolean
}

export function Page({ title, name, crumbs, actions, children, fill }: PageProps) {
    useEffect(() => {
        const cluster = session.value?.cluster?.name
        document.title = [name, cluster, 'Felice'].filter(Boolean).join(' · ')
    }, [name])
    return (
        <div class={`page ${fill ? 'fill' : ''}`}>
            <div class="head">
                <div class="grow">
                    {crumbs && <div class="crumbs">{crumbs}</div>}
                    <h1 class="title" tabIndex={-1}>
                        {title}
                    </h1>
                </div>
                {actions && <div class="row">{actions}</div>}
            </div>
            {children}
        </div>
    )
}

export interface Tab {
    href: string
    words: string
    much?: number
    current: boolean
}

export const Tabs = ({ tabs, label }: { tabs: Tab[]; label: string }) => (
    <nav class="tabs" aria-label={label}>
        {tabs.map((tab) => (
            <a key={tab.href} href={tab.href} aria-current={tab.current ? 'page' : undefined}>
                {tab.words}
                {tab.much !== undefined && <span class="much">{tab.much}</span>}
            </a>
        ))}
    </nav>
)

export function Panel({ title, actions, children, class: classes = '', inside = false }: { title?: ComponentChildren; actions?: ComponentChildren; children: ComponentChildren; class?: string; inside?: boolean }) {
    return (
        <section class={`panel ${classes}`}>
            {(title || actions) && (
                <header>
                    {title && <h2>{title}</h2>}
                    {actions}
                </header>
            )}
            {inside ? <div class="inside">{children}</div> : children}
        </section>
    )
}

export const Facts = ({ facts, small }: { facts: (readonly [name: string, value: ComponentChildren] | false | undefined)[]; small?: boolean }) => (
    <dl class={`facts ${small ? 'small-ones' : ''}`}>
        {facts.map(
            (fact) =>
                fact && (
                    <div key={fact[0]}>
                        <dt>{fact[0]}</dt>
                        <dd>{fact[1]}</dd>
                    </div>
                ),
        )}
    </dl>
)

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
    return (
        <div class="empty">
            <h2>{title}</h2>
            {children}
        </div>
    )
}

export const Waiting = () => (
    <div class="empty" role="status">
        <span class="soft">{t.loading}</span>
    </div>
)
