internal import Glibc
internal import Linux

extension SecureInit {
    /// Runs as another init.
    ///
    /// There is no secret to keep: the environment stays where everybody in the container may read it,
    /// and whoever may debug the command may debug its init, as with the originals.
    ///
    /// - Returns: The status to end with.
    static func run(
        as personality: Personality,
        _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>,
        count: Int,
        _ mask: SignalSet
    ) -> Int32 {
        let environment = InheritedEnvironment.copyInitial()
        let path = arguments[0].map { String(cString: $0) } ?? ""
        let others = (1..<max(1, count)).compactMap { arguments[$0].map { UnsafePointer($0) } }
        switch personality.read(calledAs: path, others, environment) {
        case .say(let text, let descriptor, let exitCode):
            show(text, to: descriptor)
            return exitCode
        case .run(let settings, let command):
            do throws(InitError) {
                let signals = try SignalQueue.blockingAll(inheritedMask: mask)
                DescriptorFlags.occupyStandardStreams()
                let plan = try CommandPlan(settings: settings, arguments: command, needsKey: false)
                try adoptOrphans(settings)
                return Supervisor(
                    settings: settings,
                    plan: plan,
                    signals: signals,
                    environment: environment
                ).run()
            } catch {
                settings.log.error("\(error)")
                return settings.exitCode(error)
            }
        }
    }
}
