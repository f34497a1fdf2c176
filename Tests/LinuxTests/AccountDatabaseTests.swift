import Linux
import Testing

@Suite struct `Accounts` {
    private let accounts = AccountDatabase(
        passwd: """
            root:x:0:0:root:/root:/bin/sh
            # a comment
            broken:x:notanumber:1::/:/bin/sh
            short:x:5
            app:x:1000:1001:An app,,,:/home/app:/bin/false
            """,
        group: """
            root:x:0:
            app:x:1001:
            video:x:44:other,app
            dialout:x:20:app
            apparently:x:45:apps
            """
    )

    @Test func `are found by name and by number`() {
        #expect(accounts.user(named: "app")?.id == 1000)
        #expect(accounts.user(id: 1000)?.group == 1001)
        #expect(accounts.user(id: 0)?.home == "/root")
    }

    @Test func `that are not there, or malformed, are not found`() {
        #expect(accounts.user(named: "ap") == nil)
        #expect(accounts.user(named: "broken") == nil)
        #expect(accounts.user(named: "short") == nil)
        #expect(accounts.groupID(named: "none") == nil)
    }

    @Test func `have the groups that list them by their whole name`() {
        #expect(accounts.supplementaryGroups(of: "app").sorted() == [20, 44])
        #expect(accounts.supplementaryGroups(of: "root").isEmpty)
        #expect(accounts.groupID(named: "video") == 44)
    }
}
