package io.felice.api.security;

import io.felice.api.ErrorCode;
import java.util.Objects;

/**
 * Somebody who was authenticated. Its text is {@code type:name}, for example {@code User:alice}.
 *
 * @param type {@code User} for clients; without a colon
 */
public record Principal(String type, String name) {
    public static final String USER = "User";

    /** The principal of a client that a listener does not authenticate. */
    public static final Principal ANONYMOUS = user("ANONYMOUS");

    public Principal {
        Objects.requireNonNull(name, "name");
        if (type.isEmpty() || type.indexOf(':') >= 0) {
            throw new IllegalArgumentException("\"" + type + "\" is no type of a principal");
        }
    }

    public static Principal user(String name) {
        return new Principal(USER, name);
    }

    /** @throws io.felice.api.FeliceException INVALID_REQUEST if the text is not {@code type:name} */
    public static Principal parse(String text) {
        int colon = text.indexOf(':');
        if (colon < 1 || colon == text.length() - 1) {
            throw ErrorCode.INVALID_REQUEST.because(
                    "\"" + text + "\" is no principal; write TYPE:NAME, for example User:alice");
        }
        return new Principal(text.substring(0, colon), text.substring(colon + 1));
    }

    @Override
    public String toString() {
        return type + ":" + name;
    }
}
