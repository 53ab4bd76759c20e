package io.felice.storage.log;

import java.time.Clock;
import java.util.concurrent.Executor;

/** What all logs of the engine share. */
record LogResources(
        DiskFiles files,
        TailBuffers tails,
        OpenFiles openFiles,
        LogCounters counters,
        LogSettings settings,
        Clock clock,
        VolumeSpace volumeSpace,
        Executor flusher) {}
