package io.felice.security;

import static io.felice.api.ErrorCode.SASL_AUTHENTICATION_FAILED;

import io.felice.api.FeliceException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** The text in messages of SASL mechanisms. */
final class SaslText {
    private SaslText() {}

    /** @throws FeliceException SASL_AUTHENTICATION_FAILED if the bytes are no UTF-8 */
    static String utf8(byte[] bytes, int from, int to) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes, from, to - from))
                    .toString();
        } catch (CharacterCodingException noText) {
            throw SASL_AUTHENTICATION_FAILED.because("Authentication failed: the message is not in UTF-8");
        }
    }

    /**
     * A {@code saslname} of RFC 5802, in which {@code =2C} stands for a comma and {@code =3D} for an equals sign.
     *
     * @throws FeliceException SASL_AUTHENTICATION_FAILED if there is another equals sign
     */
    static String name(String text) {
        String name = text.replace("=2C", ",").replace("=3D", "\0");
        if (name.indexOf('=') >= 0) {
            throw SASL_AUTHENTICATION_FAILED.because("Authentication failed: a name has = without 2C or 3D");
        }
        return name.replace('\0', '=');
    }

    /** Nobody acts for somebody else. */
    static void checkAuthorizationId(String authorizationId, String user) {
        if (!authorizationId.isEmpty() && !authorizationId.equals(user)) {
            throw SASL_AUTHENTICATION_FAILED.because(
                    "Authentication failed: Client requested an authorization id that" + " is different from username");
        }
    }
}
