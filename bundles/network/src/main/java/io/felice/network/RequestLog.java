package io.felice.network;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs one line per request, without its contents. Can be switched on and off at runtime. Any thread. */
final class RequestLog {
    private static final Logger log = LoggerFactory.getLogger("io.felice.network.requests");

    private volatile boolean on;

    void switchTo(boolean wanted) {
        on = wanted;
    }

    void write(PendingResponse answered, Identity connection, String software, long bytesOut, long now) {
        if (!on) {
            return;
        }
        log.info(
                "{} v{} client={} software={} correlation={} from={} principal={} listener={} in.bytes={} out.bytes={} time.us={}",
                ApiNames.of(answered.api.key()),
                answered.apiVersion,
                printable(answered.clientId),
                printable(software),
                answered.correlationId,
                connection.remote(),
                printable(connection.requester().principal().toString()),
                connection.listener(),
                answered.requestBytes,
                bytesOut,
                (now - answered.beganAt) / 1000);
    }

    /** Shortens the text and replaces all characters except visible ASCII: a client id could forge log lines. */
    static String printable(String text) {
        if (text.isEmpty()) {
            return "-";
        }
        String shortened = text.length() > 200 ? text.substring(0, 200) : text;
        return shortened.replaceAll("[^\\x21-\\x7e]", "?");
    }
}
