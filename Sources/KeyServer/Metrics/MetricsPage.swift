internal import KeyProtocol

/// `GET /metrics`: everything that is counted, and how things stand at that moment.
///
/// Names and units after Prometheus' conventions. See `docs/monitoring.md`, which a test compares
/// with this.
struct MetricsPage {
    let metrics: ServerMetrics
    let admission: Admission
    let certificates: LiveCertificates
    let backlog: AuditBacklog
    let isReady: Bool

    /// What the store said; `nil` where it did not, or where there is none.
    let store: StoreStatus?

    /// The page.
    var text: String {
        var page = MetricsText()
        addReleases(to: &page)
        addConnections(to: &page)
        addStore(to: &page)
        addCertificates(to: &page)
        addProcess(to: &page)
        return page.text
    }

    private func addReleases(to page: inout MetricsText) {
        page.add(
            "secure_store_decisions_total",
            .counter,
            "Decisions about requests for keys, by result (released, refused, failed) and code.",
            metrics.decisions
        )
        page.add(
            "secure_store_decision_duration_seconds",
            "Time from a request to its decision on disk.",
            metrics.decisionDuration
        )
        page.add(
            "secure_store_certificate_requests_total",
            .counter,
            "Requests of devices for certificates, by path, result (issued, refused, failed) and code.",
            metrics.certificateRequests
        )
        page.add(
            "secure_store_tokens_refused_total",
            .counter,
            "Tokens in place of certificates that were not taken for one of the store's, by code.",
            metrics.tokensRefused
        )
        page.add(
            "secure_store_http_requests_total",
            .counter,
            "Requests of devices that were answered, by path and status.",
            metrics.requests
        )
        page.add(
            "secure_store_http_request_duration_seconds",
            "Time from a request's head to the last byte of its answer.",
            metrics.requestDuration
        )
    }

    private func addConnections(to page: inout MetricsText) {
        page.add(
            "secure_store_connections",
            .gauge,
            "Connections of devices that are open.",
            admission.openCount
        )
        page.add(
            "secure_store_connections_limit",
            .gauge,
            "How many may be open; more wait in the kernel's queue.",
            admission.limits.connections
        )
        page.add(
            "secure_store_connections_accepted_total",
            .counter,
            "Connections of devices that were accepted.",
            metrics.connectionsAccepted.value
        )
        page.add(
            "secure_store_connection_timeouts_total",
            .counter,
            "Connections closed because time was up, by what for.",
            metrics.timeouts
        )
        page.add(
            "secure_store_tls_handshakes_in_progress",
            .gauge,
            "TLS handshakes that have begun and not ended.",
            admission.handshakeCount
        )
        page.add(
            "secure_store_tls_handshakes_total",
            .counter,
            "TLS handshakes that succeeded.",
            metrics.handshakes.value
        )
        page.add(
            "secure_store_tls_handshake_failures_total",
            .counter,
            "TLS handshakes that did not succeed, by reason.",
            metrics.handshakeFailures
        )
    }

    private func addStore(to page: inout MetricsText) {
        page.add(
            "secure_store_audit_waiting",
            .gauge,
            "Decisions that wait to be put on disk.",
            backlog.count
        )
        page.add(
            "secure_store_audit_lag_seconds",
            .gauge,
            "For how long the one that came first has waited; 0 where none waits.",
            backlog.seconds
        )
        if metrics.committedAt.value > 0 {
            page.add(
                "secure_store_audit_last_commit_timestamp_seconds",
                .gauge,
                "When decisions were last put on disk.",
                Double(metrics.committedAt.value) / 1000
            )
        }
        page.add(
            "secure_store_storage_errors_total",
            .counter,
            "Transactions that failed, and monitoring's own looks at the store.",
            metrics.storageErrors.value
        )
        page.add("secure_store_ready", .gauge, "1 where /readyz says 200.", isReady ? 1 : 0)
        guard let store else { return }
        page.add(
            "secure_store_sealed",
            .gauge,
            "1 while the store's keys cannot be opened for want of the root key.",
            store.isSealed ? 1 : 0
        )
        page.add(
            "secure_store_lockdown",
            .gauge,
            "1 while an operator has shut the whole store.",
            store.isLockedDown ? 1 : 0
        )
    }

    private func addCertificates(to page: inout MetricsText) {
        let loaded = certificates.loaded
        var ends = [
            (values: ["server"], count: loaded.server.notAfter.seconds),
            (values: ["authority"], count: loaded.authority.notAfter.seconds),
        ]
        if let next = store?.nextCertificateEnd {
            ends.append((values: ["device"], count: next.seconds))
        }
        page.add(
            "secure_store_certificate_not_after_timestamp_seconds",
            .gauge,
            "Until when a certificate is valid: the server's, the devices' authority's, "
                + "and of the devices' the one that ends next.",
            labels: ["certificate"],
            ends
        )
        page.add(
            "secure_store_certificate_reloads_total",
            .counter,
            "Times that changed certificate files were read, by result.",
            metrics.certificateReloads
        )
    }

    private func addProcess(to page: inout MetricsText) {
        page.add(
            "secure_store_build_info",
            .gauge,
            "1, labelled with the version.",
            labels: ["version"],
            [(values: [ProductVersion.text], count: 1)]
        )
        page.add(
            "process_start_time_seconds",
            .gauge,
            "When the process started.",
            Double(metrics.startedAt.milliseconds) / 1000
        )
        let process = ProcessFigures()
        page.add(
            "process_cpu_seconds_total",
            .counter,
            "Processor time used.",
            process.processorSeconds
        )
        if let bytes = process.residentMemory {
            page.add("process_resident_memory_bytes", .gauge, "Memory in use.", bytes)
        }
        if let count = process.openDescriptors {
            page.add("process_open_fds", .gauge, "Descriptors in use.", count)
        }
        if let count = process.maximumDescriptors {
            page.add("process_max_fds", .gauge, "How many there may be.", count)
        }
    }
}
