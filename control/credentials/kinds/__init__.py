"""One file for each kind of credential, all with the same functions.

`check`: whether an entry may be saved with it. `take`: what an installation must bring. `headers`: what a request
carries. `places`: where each of its secrets goes, which is what the secret is bound to. `cure`: what a person can do
where something is missing. Called through `control/credentials/dispatch.py`.
"""
