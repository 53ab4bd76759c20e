import java.nio.file.Files
import java.nio.file.Path

// The project gets the sources of its type, in the directories of its package.
Path project = Path.of(request.outputDirectory, request.artifactId)
Path types = project.resolve('types')
String directories = request.properties['package'].replace('.', '/')
Path wanted = types.resolve(request.properties['type'] as String)
wanted.toFile().eachFileRecurse { file ->
    if (file.isFile()) {
        Path path = wanted.relativize(file.toPath())
        Path target = file.name.endsWith('.java')
                ? project.resolve(path.parent).resolve(directories).resolve(file.name)
                : project.resolve(path)
        Files.createDirectories(target.parent)
        Files.move(file.toPath(), target)
    }
}
types.toFile().deleteDir()
