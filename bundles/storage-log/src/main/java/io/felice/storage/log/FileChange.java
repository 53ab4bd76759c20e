package io.felice.storage.log;

import java.io.IOException;

/** Something that touches files and may fail. */
interface FileChange {
    void run() throws IOException;
}
