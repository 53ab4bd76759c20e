package io.felice.records;

import net.jpountz.lz4.LZ4Factory;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads the native library of lz4-java. By itself lz4-java loads the library only if its classes come from the system
 * class loader; in an OSGi framework it would use its slower Java code.
 */
@Component(service = NativeCodecs.class, immediate = true)
public final class NativeCodecs {
    private static final Logger log = LoggerFactory.getLogger(NativeCodecs.class);

    @Activate
    public NativeCodecs() {
        try {
            LZ4Factory.nativeInstance();
        } catch (LinkageError | RuntimeException notOnThisPlatform) {
            log.info("The native library of lz4 cannot be loaded, so lz4 is slower: {}", notOnThisPlatform.toString());
        }
    }
}
