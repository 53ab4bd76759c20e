package io.felice.network;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.protocol.CloseConnection;
import io.felice.protocol.KafkaMessages;
import io.felice.protocol.ResponseFrame;
import org.apache.kafka.common.message.SaslAuthenticateResponseData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes the answers of a connection's requests, from responses and failures. I/O thread only. */
final class Answers {
    static final String REPLACED = "the service behind this request is being replaced";

    private static final Logger log = LoggerFactory.getLogger(Answers.class);

    private final Server server;
    private final KafkaConnection connection;
    private final RoundProcessor processor;
    private long bytes;

    Answers(Server server, KafkaConnection connection) {
        this.server = server;
        this.connection = connection;
        this.processor = connection.processor();
    }

    /** The bytes of answers that are not sent yet. */
    long bytes() {
        return bytes;
    }

    void sent(ResponseFrame frame) {
        bytes -= frame.sizeInBytes();
        processor.done(frame);
    }

    /** Called when the stage of the request has completed. */
    void settle(PendingResponse pending) {
        if (!pending.takeCompleted()) {
            return;
        }
        charge(pending);
        boolean failed = pending.failure() != null;
        if (failed) {
            processor.counters(pending.api.key()).errors.add(1);
            fail(pending, FeliceException.unwrap(pending.failure()));
        } else if (pending.response() == null) {
            pending.answer(null);
        } else {
            answer(pending, pending.response());
        }
        pending.release(server.memory(), true);
        if (Sasl.isLogin(pending.api.key())) {
            connection.loginAnswered(failed);
        }
        connection.markDirty();
    }

    private void charge(PendingResponse pending) {
        int wait = server.throttling().charge(pending, connection.identity().requester(), pending.response());
        if (wait > 0) {
            connection.mute(wait);
        }
    }

    /** Answers a request whose handler was removed with a retriable error, unless its stage has completed. */
    void giveUp(PendingResponse pending) {
        if (pending.takeOpen()) {
            retriable(pending, REPLACED);
        }
    }

    /** Answers with the API's retriable error or by closing, so that the client sends the request again. */
    void retriable(PendingResponse pending, String why) {
        processor.counters(pending.api.key()).errors.add(1);
        if (pending.api.closesWhileAway()) {
            fail(pending, new CloseConnection(why));
            connection.markDirty();
        } else {
            fail(pending, pending.api.whileAway(), why);
        }
    }

    void answer(PendingResponse pending, ApiMessage response) {
        try {
            ResponseFrame frame = pending.isRaw ? rawFrame(response) : frame(pending, response);
            if (frame == null) {
                pending.answerByClosing();
            } else {
                pending.answer(frame);
                bytes += frame.sizeInBytes();
                processor.answered(frame);
            }
        } catch (Throwable notEncodable) {
            server.complaints().error("The answer to " + describe(pending) + " cannot be sent", notEncodable);
            ResponseRecords.release(response);
            pending.answerByClosing();
        }
        connection.markDirty();
    }

    private static ResponseFrame frame(PendingResponse pending, ApiMessage response) {
        return KafkaMessages.encode(pending.api.key(), pending.apiVersion, pending.correlationId, response);
    }

    /** Null if the client is refused, because a message without a header has no place for an error. */
    private static ResponseFrame rawFrame(ApiMessage response) {
        SaslAuthenticateResponseData login = (SaslAuthenticateResponseData) response;
        return login.errorCode() == ErrorCode.NONE.code() ? KafkaMessages.encodeRaw(login.authBytes()) : null;
    }

    private void fail(PendingResponse pending, Throwable failure) {
        if (failure instanceof CloseConnection && Sasl.isLogin(pending.api.key())) {
            server.complaints()
                    .warn("Closing the connection of " + connection.identity() + ": " + failure.getMessage());
            pending.answerByClosing();
        } else if (failure instanceof CloseConnection) {
            log.debug("Closing {}: {}", connection.identity(), failure.getMessage());
            pending.answerByClosing();
        } else if (failure instanceof FeliceException expected) {
            fail(pending, expected.code(), expected.getMessage());
        } else {
            server.complaints().error(describe(pending) + " failed", failure);
            fail(pending, ErrorCode.UNKNOWN_SERVER_ERROR, "an error on the server");
        }
    }

    private void fail(PendingResponse pending, ErrorCode error, String message) {
        ApiMessage response = null;
        try {
            response = KafkaMessages.failure(pending.request(), error, message);
        } catch (Throwable noForm) {
            log.debug("{} has no form for {}", describe(pending), error, noForm);
        }
        if (response == null) {
            pending.answerByClosing();
            connection.markDirty();
        } else {
            answer(pending, response);
        }
    }

    private String describe(PendingResponse pending) {
        Identity identity = connection.identity();
        return ApiNames.of(pending.api.key()) + " v" + pending.apiVersion + " correlation " + pending.correlationId
                + " of " + RequestLog.printable(pending.clientId) + " as "
                + RequestLog.printable(identity.requester().principal().toString()) + " at " + identity.remote();
    }
}
