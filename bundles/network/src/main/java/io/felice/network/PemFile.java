package io.felice.network;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Cipher;
import javax.crypto.EncryptedPrivateKeyInfo;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/** The certificates and the key of a PEM file (RFC 7468). */
record PemFile(List<PrivateKey> keys, List<X509Certificate> certificates) {
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \\1-----", Pattern.DOTALL);
    private static final List<String> KEY_ALGORITHMS = List.of("RSA", "EC", "EdDSA", "RSASSA-PSS", "DSA");

    PemFile {
        keys = List.copyOf(keys);
        certificates = List.copyOf(certificates);
    }

    static boolean isPem(String text) {
        return text.contains("-----BEGIN ");
    }

    /**
     * @param password of an encrypted key
     * @throws UnusableCertificate with the end of a sentence that begins with the file
     */
    static PemFile parse(String text, char[] password) throws UnusableCertificate {
        List<PrivateKey> keys = new ArrayList<>();
        List<X509Certificate> certificates = new ArrayList<>();
        Matcher blocks = BLOCK.matcher(text);
        while (blocks.find()) {
            byte[] content = decoded(blocks.group(2));
            switch (blocks.group(1)) {
                case "CERTIFICATE" -> certificates.add(certificate(content));
                case "PRIVATE KEY" -> keys.add(key(content));
                case "ENCRYPTED PRIVATE KEY" -> keys.add(decrypted(content, password));
                case "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY" -> throw new UnusableCertificate(
                        "has a key as " + blocks.group(1)
                                + "; write it as PKCS#8, for example with openssl pkcs8 -topk8 -nocrypt");
                default -> {
                    // Parameters and comments do not matter.
                }
            }
        }
        return new PemFile(keys, certificates);
    }

    private static byte[] decoded(String text) throws UnusableCertificate {
        try {
            return Base64.getMimeDecoder().decode(text);
        } catch (IllegalArgumentException damaged) {
            throw new UnusableCertificate("has a block that is not Base64");
        }
    }

    private static X509Certificate certificate(byte[] content) throws UnusableCertificate {
        try {
            return (X509Certificate)
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(content));
        } catch (GeneralSecurityException damaged) {
            throw new UnusableCertificate("has a certificate that cannot be read");
        }
    }

    private static PrivateKey key(byte[] content) throws UnusableCertificate {
        for (String algorithm : KEY_ALGORITHMS) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(content));
            } catch (GeneralSecurityException other) {
                // It is a key of another algorithm, or damaged.
            }
        }
        throw new UnusableCertificate("has a key that cannot be read; known are PKCS#8 keys of " + KEY_ALGORITHMS);
    }

    private static PrivateKey decrypted(byte[] content, char[] password) throws UnusableCertificate {
        if (password.length == 0) {
            throw new UnusableCertificate("has an encrypted key, and ssl.key.password is empty");
        }
        PBEKeySpec secret = new PBEKeySpec(password);
        try {
            EncryptedPrivateKeyInfo info = new EncryptedPrivateKeyInfo(content);
            String encryption = encryption(info);
            Cipher cipher = Cipher.getInstance(encryption);
            cipher.init(
                    Cipher.DECRYPT_MODE,
                    SecretKeyFactory.getInstance(encryption).generateSecret(secret),
                    info.getAlgParameters());
            return key(info.getKeySpec(cipher).getEncoded());
        } catch (IOException | GeneralSecurityException failure) {
            throw new UnusableCertificate("has an encrypted key that cannot be decrypted: ssl.key.password is wrong, or"
                    + " this JDK does not know the encryption");
        } finally {
            secret.clearPassword();
        }
    }

    /** The JDK's name of the encryption. That of PBES2 is in the parameters. */
    private static String encryption(EncryptedPrivateKeyInfo info) {
        AlgorithmParameters parameters = info.getAlgParameters();
        boolean isPbes2 = info.getAlgName().equals("PBES2") || info.getAlgName().equals("1.2.840.113549.1.5.13");
        return isPbes2 && parameters != null ? parameters.toString() : info.getAlgName();
    }
}
