package io.felice.plugins;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** The libraries that plugins often need, by the beginning of their packages. */
final class KnownLibraries {
    private static final Map<String, String> BY_PACKAGE = byPackage();

    private KnownLibraries() {}

    private static Map<String, String> byPackage() {
        Map<String, String> known = new LinkedHashMap<>();
        known.put("com.fasterxml.jackson.databind", "com.fasterxml.jackson.core:jackson-databind");
        known.put("com.fasterxml.jackson.core", "com.fasterxml.jackson.core:jackson-core");
        known.put("com.fasterxml.jackson.annotation", "com.fasterxml.jackson.core:jackson-annotations");
        known.put("com.google.common", "com.google.guava:guava");
        known.put("com.google.gson", "com.google.code.gson:gson");
        known.put("com.google.protobuf", "com.google.protobuf:protobuf-java");
        known.put("org.apache.commons.lang3", "org.apache.commons:commons-lang3");
        known.put("org.apache.commons.io", "commons-io:commons-io");
        known.put("org.apache.commons.codec", "commons-codec:commons-codec");
        known.put("org.apache.kafka", "org.apache.kafka:kafka-clients");
        known.put("org.rocksdb", "org.rocksdb:rocksdbjni");
        known.put("org.h2", "com.h2database:h2");
        known.put("org.postgresql", "org.postgresql:postgresql");
        known.put("com.zaxxer.hikari", "com.zaxxer:HikariCP");
        known.put("okhttp3", "com.squareup.okhttp3:okhttp");
        known.put("io.netty", "io.netty");
        known.put("com.unboundid", "com.unboundid:unboundid-ldapsdk");
        return known;
    }

    /** The Maven coordinates of the library that has a package. */
    static Optional<String> of(String packageName) {
        return BY_PACKAGE.entrySet().stream()
                .filter(known -> packageName.equals(known.getKey()) || packageName.startsWith(known.getKey() + "."))
                .map(Map.Entry::getValue)
                .findFirst();
    }
}
