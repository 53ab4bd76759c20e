package io.felice.storage.log;

import java.io.IOException;

/** A change of a log's files; fails with the I/O error that it meets. */
interface FileChange {
    void run() throws IOException;
}
