import { useEffect, useState } from 'preact/hooks'
import { change, get, Problem, session } from '../api'
import type { Session, SetupState } from '../contract'
import { t } from '../texts'
import { Button, Note, ProblemNote, Text } from '../parts/base'
import { useWork } from '../parts/dialog'

const SHORTEST_PASSWORD = 8

/** Login, or the first user. */
export function Door() {
    const [setup, setSetup] = useState<SetupState>()
    const [problem, setProblem] = useState<Problem>()
    useEffect(() => {
        let timer: ReturnType<typeof setTimeout>
        let gone = false
        document.title = 'Felice'
        const ask = async () => {
            try {
                const { data } = await get<SetupState>('setup')
                if (gone) return
                setSetup(data)
                setProblem(undefined)
                if (data.needed) return
                // A node that has just started may not know its users yet.
                timer = setTimeout(ask, 10_000)
            } catch (failure) {
                if (gone) return
                if (failure instanceof Problem) setProblem(failure)
                timer = setTimeout(ask, 2000)
            }
        }
        void ask()
        return () => {
            gone = true
            clearTimeout(timer)
        }
    }, [])
    return (
        <main class="door">
            <div>
                <div class="brand">
                    <img src="./felice.svg" alt="" />
                    Felice
                </div>
                {problem && <ProblemNote problem={problem} />}
                {!setup ? <p class="soft">{!problem && t.loading}</p> : setup.needed ? <FirstUser setup={setup} /> : <Login />}
            </div>
        </main>
    )
}

function Login() {
    const [name, setName] = useState('')
    const [password, setPassword] = useState('')
    const work = useWork(async () => {
        session.value = await change<Session>('POST', 'session', { name, password })
    })
    return (
        <form class="panel" onSubmit={(event) => (event.preventDefault(), work.start())}>
            <h1>{t.door.login}</h1>
            <Text label={t.door.name} value={name} onInput={setName} autocomplete="username" autoFocus />
            <Text label={t.door.password} value={password} onInput={setPassword} type="password" autocomplete="current-password" />
            {work.problem && <ProblemNote problem={work.problem} />}
            <Button type="submit" kind="main" busy={work.busy}>
                {t.door.login}
            </Button>
            <p class="small soft">{t.door.sameUsers}</p>
        </form>
    )
}

function FirstUser({ setup }: { setup: SetupState }) {
    const [code, setCode] = useState('')
    const [name, setName] = useState('admin')
    const [password, setPassword] = useState('')
    const [again, setAgain] = useState('')
    const [tried, setTried] = useState(false)
    const wrong = {
        code: code.trim() ? undefined : t.door.codeMissing,
        name: name.trim() ? undefined : t.door.nameMissing,
        password: password.length >= SHORTEST_PASSWORD ? undefined : t.door.tooShort(SHORTEST_PASSWORD),
        again: again === password ? undefined : t.door.notTheSame,
    }
    const work = useWork(async () => {
        session.value = await change<Session>('POST', 'setup', { code: code.trim(), name: name.trim(), password })
    })
    const submit = () => {
        setTried(true)
        if (!Object.values(wrong).some(Boolean)) void work.start()
    }
    return (
        <form class="panel" onSubmit={(event) => (event.preventDefault(), submit())}>
            <h1>{t.door.welcome}</h1>
            <p class="soft">{t.door.firstUser}</p>
            <Text label={t.door.code} help={setup.where ?? t.door.where} value={code} onInput={setCode} wrong={tried ? wrong.code : undefined} mono autoFocus autocomplete="one-time-code" />
            <Text label={t.door.name} value={name} onInput={setName} wrong={tried ? wrong.name : undefined} autocomplete="username" />
            <Text label={t.door.newPassword} value={password} onInput={setPassword} wrong={tried ? wrong.password : undefined} type="password" autocomplete="new-password" />
            <Text label={t.door.passwordAgain} value={again} onInput={setAgain} wrong={tried ? wrong.again : undefined} type="password" autocomplete="new-password" />
            {work.problem && <ProblemNote problem={work.problem} />}
            <Button type="submit" kind="main" busy={work.busy}>
                {t.door.create}
            </Button>
            <Note plain>{t.door.noDefault}</Note>
        </form>
    )
}
