import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { X } from 'lucide-preact'
import { Problem } from '../api'
import { t } from '../texts'
import { Button, Note, ProblemNote, Text } from './base'

interface DialogProps {
    title: string
    children: ComponentChildren
    footer?: ComponentChildren
    close: () => void
    submit?: () => void
    broad?: boolean
    class?: string
}

/** A modal dialog of the browser: it keeps the focus inside and gives it back. */
export function Dialog({ title, children, footer, close, submit, broad, class: classes = '' }: DialogProps) {
    const ref = useRef<HTMLDialogElement>(null)
    const id = useId()
    useEffect(() => {
        ref.current?.showModal()
    }, [])
    return (
        <dialog
            ref={ref}
            class={`${broad ? 'broad' : ''} ${classes}`}
            aria-labelledby={id}
            onCancel={(event) => {
                event.preventDefault()
                close()
            }}
            onClick={(event) => event.target === ref.current && !submit && close()}
        >
            <form
                onSubmit={(event) => {
                    event.preventDefault()
                    submit?.()
                }}
            >
                <header>
                    <h2 id={id}>{title}</h2>
                    <Button kind="bare" label={t.close} icon={<X class="icon" />} onClick={close} />
                </header>
                <div class="inside">{children}</div>
                {footer && <footer>{footer}</footer>}
            </form>
        </dialog>
    )
}

interface ConfirmProps {
    title: string
    children?: ComponentChildren
    /** The words on the button. */
    act: string
    /** The user types this before the button works. */
    retype?: string
    danger?: boolean
    close: () => void
    run: () => Promise<void>
    broad?: boolean
    denied?: string
}

/** Asks before something is done, and stays open with the reason if it fails. */
export function Confirm({ title, children, act, retype, danger, close, run, broad, denied }: ConfirmProps) {
    const [typed, setTyped] = useState('')
    const work = useWork(run, close)
    const missing = retype !== undefined && typed !== retype ? t.retypeFirst : denied
    return (
        <Dialog
            title={title}
            close={close}
            submit={() => !missing && work.start()}
            broad={broad}
            footer={
                <>
                    <Button onClick={close}>{t.cancel}</Button>
                    <Button type="submit" kind={danger ? 'danger-main' : 'main'} denied={missing} busy={work.busy}>
                        {act}
                    </Button>
                </>
            }
        >
            {children}
            {retype !== undefined && <Text label={t.retype(retype)} value={typed} onInput={setTyped} mono autoFocus />}
            {work.problem && <ProblemNote problem={work.problem} />}
        </Dialog>
    )
}

/** A change that runs: whether it runs, and the problem it ended with. */
export function useWork(run: () => Promise<void>, done?: () => void) {
    const [busy, setBusy] = useState(false)
    const [problem, setProblem] = useState<Problem>()
    const start = async () => {
        setBusy(true)
        setProblem(undefined)
        try {
            await run()
            setBusy(false)
            done?.()
        } catch (failure) {
            setBusy(false)
            setProblem(failure instanceof Problem ? failure : new Problem(-1, { title: String(failure) }))
        }
    }
    return { busy, problem, start, clear: () => setProblem(undefined) }
}

interface Toast {
    id: number
    tone: 'good' | 'bad'
    text: string
}

const toasts = signal<Toast[]>([])
let last = 0

export function say(text: string, tone: 'good' | 'bad' = 'good'): void {
    const id = ++last
    toasts.value = [...toasts.value, { id, tone, text }]
    setTimeout(() => (toasts.value = toasts.value.filter((each) => each.id !== id)), tone === 'good' ? 5000 : 12000)
}

export const Toasts = () => (
    <div class="toasts" role="status" aria-live="polite">
        {toasts.value.map((each) => (
            <Note key={each.id} tone={each.tone}>
                {each.text}
            </Note>
        ))}
    </div>
)
