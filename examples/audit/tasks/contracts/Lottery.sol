// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// One of the players gets the pot.
contract Lottery {
    address public immutable host = msg.sender;
    address payable[] public players;

    function enter() external payable {
        require(msg.value == 1 ether, "a ticket is 1 ether");
        players.push(payable(msg.sender));
    }

    function draw() external {
        require(tx.origin == host, "not the host");
        uint256 winner = uint256(keccak256(abi.encode(block.timestamp, players.length))) % players.length;
        players[winner].send(address(this).balance);
        delete players;
    }
}
