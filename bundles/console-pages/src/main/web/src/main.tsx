import { render } from 'preact'
import './style.css'
import { get, session } from './api'
import type { Session } from './contract'
import { Frame } from './frame'
import { Door } from './pages/door'
import { t } from './texts'

function App() {
    if (session.value === undefined) return <div class="door soft">{t.loading}</div>
    return session.value === null ? <Door /> : <Frame />
}

async function start(): Promise<void> {
    try {
        session.value = (await get<Session>('session')).data
    } catch {
        session.value = null
    }
}

render(<App />, document.getElementById('app')!)
void start()
